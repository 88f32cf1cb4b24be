using System.Text.Json;

namespace Mcp.Guard.Hosting;

/// <summary>The <c>resultType</c> of a result (MCP 2026-07-28). The SDK takes an unknown one for an empty success; the guard refuses it.</summary>
internal static class ResultTypes
{
    public static bool IsKnown(JsonElement result) =>
        !result.TryGetProperty("resultType"u8, out JsonElement type)
        || (type.ValueKind == JsonValueKind.String && (type.ValueEquals("complete"u8) || type.ValueEquals("input_required"u8)));

    public static bool IsInputRequired(JsonElement result) =>
        result.TryGetProperty("resultType"u8, out JsonElement type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("input_required"u8);
}
