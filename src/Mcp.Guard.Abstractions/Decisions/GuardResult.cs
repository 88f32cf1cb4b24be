using System.Text.Json;

namespace Mcp.Guard;

/// <summary>What the result stages made of a server's answer. An uninitialised value (<c>default</c>) is a denial.</summary>
public readonly struct GuardResult
{
    private GuardResult(bool allowed, JsonElement payload, GuardDenial? denial)
    {
        IsAllowed = allowed;
        Payload = payload;
        Denial = denial;
    }

    /// <summary>True where <see cref="Payload"/> may be delivered.</summary>
    public bool IsAllowed { get; }

    /// <summary>The result to deliver in place of the server's; undefined where it was denied.</summary>
    public JsonElement Payload { get; }

    /// <summary>Why nothing may be delivered; null where <see cref="IsAllowed"/>.</summary>
    public GuardDenial? Denial { get; }

    /// <summary>A result that may be delivered.</summary>
    /// <param name="payload">The value to deliver.</param>
    public static GuardResult Allow(JsonElement payload) => new(true, payload, null);

    /// <summary>A result that was stopped.</summary>
    /// <param name="denial">Why.</param>
    public static GuardResult Deny(GuardDenial denial)
    {
        ArgumentNullException.ThrowIfNull(denial);
        return new(false, default, denial);
    }
}
