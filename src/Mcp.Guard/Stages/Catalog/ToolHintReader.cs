using System.Text.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// Reads a tool's <c>annotations</c> (MCP "ToolAnnotations"). What is missing or of a wrong type takes MCP's default (destructive, open world, not
/// read-only); a contradiction takes the dangerous reading.
/// </summary>
internal static class ToolHintReader
{
    public static ToolHints Read(JsonElement tool)
    {
        if (!tool.TryGetProperty("annotations"u8, out JsonElement hints) || hints.ValueKind != JsonValueKind.Object)
        {
            return default;
        }

        bool? destructive = Flag(hints, "destructiveHint"u8);
        bool? readOnly = Flag(hints, "readOnlyHint"u8);
        bool saysDestructive = destructive == true;
        return new ToolHints(
            IsReadOnly: readOnly == true && !saysDestructive,
            IsNotDestructive: destructive == false,
            IsClosedWorld: Flag(hints, "openWorldHint"u8) == false,
            SaysDestructive: saysDestructive);
    }

    private static bool? Flag(JsonElement hints, ReadOnlySpan<byte> name) => hints.TryGetProperty(name, out JsonElement value)
        ? value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        }
        : null;
}
