using System.Text.Json.Nodes;

namespace Mcp.Guard.Tests.Proof;

/// <summary>A rate as the policy says it.</summary>
/// <param name="Permits">Calls in the window; 0 denies every call.</param>
/// <param name="Per">The window.</param>
/// <param name="Burst">Calls at once after a pause; null is the same as <paramref name="Permits"/>.</param>
/// <param name="By">Whom or what is counted apart; null is the caller.</param>
internal sealed record RateModel(long Permits, TimeSpan Per, long? Burst, IReadOnlyList<string>? By)
{
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["permits"] = Permits, ["per"] = $"{(long)Per.TotalMilliseconds}ms" };
        if (Burst is { } burst)
        {
            json["burst"] = burst;
        }

        if (By is not null)
        {
            json["by"] = new JsonArray([.. By.Select(static part => JsonValue.Create(part))]);
        }

        return json;
    }

    public override string ToString() => ToJson().ToJsonString();
}
