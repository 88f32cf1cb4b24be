using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Cli.Explain;

/// <summary><c>mcp-guard explain redact</c>: a text, or a JSON document given as text, without its secrets.</summary>
internal sealed class RedactKind : IExplainKind
{
    public string Name => "redact";

    public void Answer(JsonElement input, Utf8JsonWriter output)
    {
        string text = ExplainInput.Text(input, "input");
        output.WriteString("output", ExplainInput.Text(input, "kind") switch
        {
            "text" => SecretRedactor.Default.Redact(text),
            "json" => RedactJson(text),
            string kind => throw new ExplainInputException($"'kind' must be \"text\" or \"json\", found \"{kind}\""),
        });
    }

    private static string RedactJson(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            ReadOnlyMemory<byte>? redacted = JsonRedactor.Default.Redact(document.RootElement);
            return redacted is { } changed ? Encoding.UTF8.GetString(changed.Span) : text;
        }
        catch (JsonException e)
        {
            throw new ExplainInputException($"'input' is not readable JSON: {e.Message}");
        }
    }
}
