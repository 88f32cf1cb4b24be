using System.Text.Json;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// What a tool's <c>annotations</c> say about its danger, each hint as it was written: true, false, or not said. A hint of a wrong type is not said.
/// The server writes them; <see cref="ToolDanger"/> decides how much they count.
/// </summary>
/// <param name="ReadOnly"><c>readOnlyHint</c>; MCP reads an absent one as false.</param>
/// <param name="Destructive"><c>destructiveHint</c>; MCP reads an absent one as true.</param>
/// <param name="Idempotent"><c>idempotentHint</c>; MCP reads an absent one as false.</param>
/// <param name="OpenWorld"><c>openWorldHint</c>; MCP reads an absent one as true.</param>
internal readonly record struct ToolHints(bool? ReadOnly, bool? Destructive, bool? Idempotent, bool? OpenWorld)
{
    /// <summary>Reads a definition that was admitted as JSON. Never throws.</summary>
    public static ToolHints Read(JsonElement definition)
    {
        if (definition.ValueKind != JsonValueKind.Object
            || !definition.TryGetProperty("annotations"u8, out JsonElement annotations)
            || annotations.ValueKind != JsonValueKind.Object)
        {
            return default;
        }

        return new(
            Hint(annotations, "readOnlyHint"u8),
            Hint(annotations, "destructiveHint"u8),
            Hint(annotations, "idempotentHint"u8),
            Hint(annotations, "openWorldHint"u8));
    }

    private static bool? Hint(JsonElement annotations, ReadOnlySpan<byte> name) =>
        annotations.TryGetProperty(name, out JsonElement value)
            ? value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => null,
            }
            : null;
}
