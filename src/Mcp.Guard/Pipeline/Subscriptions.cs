using System.Text.Json;

namespace Mcp.Guard.Pipeline;

/// <summary>Reads the resources that a <c>subscriptions/listen</c> request names (MCP 2026-07-28).</summary>
internal static class Subscriptions
{
    /// <summary>The URIs; entries of another type than text come out as an empty URI, which no rule or root admits as a file and no update matches.</summary>
    public static IReadOnlyList<string> UrisOf(JsonElement parameters)
    {
        if (parameters.ValueKind != JsonValueKind.Object
            || !parameters.TryGetProperty("notifications"u8, out JsonElement wanted)
            || wanted.ValueKind != JsonValueKind.Object
            || !wanted.TryGetProperty("resourceSubscriptions"u8, out JsonElement uris)
            || uris.ValueKind != JsonValueKind.Array)
        {
            return [];
        }

        var list = new List<string>(uris.GetArrayLength());
        foreach (JsonElement uri in uris.EnumerateArray())
        {
            list.Add(uri.ValueKind == JsonValueKind.String ? uri.GetString()! : string.Empty);
        }

        return list;
    }
}
