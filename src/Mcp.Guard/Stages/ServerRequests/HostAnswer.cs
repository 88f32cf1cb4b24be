using System.Text.Json;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>What of the host's answer goes to the server. The default sends nothing.</summary>
/// <param name="Payload">The answer as it leaves; undefined where it does not.</param>
/// <param name="Fault">Why it does not, in words for the audit, without a value of the answer; null where it does.</param>
internal readonly record struct HostAnswer(JsonElement Payload, string? Fault)
{
    /// <summary>Whether the answer leaves.</summary>
    public bool IsSent => Fault is null && Payload.ValueKind == JsonValueKind.Object;

    /// <summary>An answer that does not leave.</summary>
    public static HostAnswer Refused(string fault) => new(default, fault);
}
