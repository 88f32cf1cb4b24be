using System.Text.Json;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Cli.Explain;

/// <summary><c>mcp-guard explain text</c>: what the sanitiser makes of a text of a surface, and the flags it raises.</summary>
internal sealed class TextKind : IExplainKind
{
    public string Name => "text";

    public void Answer(JsonElement input, Utf8JsonWriter output)
    {
        string[] peers = [.. ExplainInput.OptionalTexts(input, "peers") ?? []];
        TextSurface surface = TextSurfaces.Parse(ExplainInput.Text(input, "surface"));
        Mcp.Guard.Stages.ResultSanitizing.SanitizedText sanitized = TextSanitizer.Default.Sanitize(ExplainInput.Text(input, "text"), surface, peers);
        output.WriteString("sanitized", sanitized.Text);
        output.WriteStartArray("flags");
        foreach (string flag in ContentFlagNames.Of(sanitized.Flags))
        {
            output.WriteStringValue(flag);
        }

        output.WriteEndArray();
    }
}
