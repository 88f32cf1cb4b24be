using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Cli.Explain;

/// <summary><c>mcp-guard explain schema</c>: whether a schema is accepted and what it says of an instance.</summary>
internal sealed class ExplainSchema : IExplainKind
{
    private const int MaxErrors = 20;

    public string Name => "schema";

    public void Answer(JsonElement input, Utf8JsonWriter output)
    {
        byte[] schema = Bytes(input, "schemaText", "schemaBase64") ?? Raw(ExplainInput.Required(input, "schema"));
        byte[] instance = Bytes(input, "instanceText", "instanceBase64")
            ?? throw new ExplainInputException("'instanceText' is missing; it must be a JSON text (or 'instanceBase64')");
        JsonSchemaOptions options = Options(input);
        McpSchemaKind kind = Kind(ExplainInput.OptionalText(input, "kind"));
        string? version = ExplainInput.OptionalText(input, "mcpVersion");

        long started = TimeProvider.System.GetTimestamp();
        JsonSchemaCompilation compilation = McpSchemaCompiler.Compile(schema, kind, version, options);
        JsonSchemaResult result = compilation.Program is { } program ? program.Validate(instance, MaxErrors) : default;
        double elapsed = TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;

        output.WriteNumber("ms", Math.Round(elapsed, 3));
        if (compilation.Rejection is { } rejection)
        {
            output.WriteString("outcome", "reject-schema");
            output.WriteString("code", rejection.Code);
            output.WriteString("location", rejection.Location);
            output.WriteString("message", rejection.Message);
            return;
        }

        output.WriteString("outcome", result.Outcome switch
        {
            JsonSchemaOutcome.Valid => "valid",
            JsonSchemaOutcome.Invalid => "invalid",
            JsonSchemaOutcome.MalformedText => "reject-text",
            _ => "limit",
        });
        if (result.Detail is { } detail)
        {
            output.WriteString("message", detail);
        }

        output.WriteStartArray("errors");
        foreach (JsonSchemaError error in result.Errors)
        {
            output.WriteStartObject();
            output.WriteString("instance", error.InstanceLocation);
            output.WriteString("keyword", error.KeywordLocation);
            output.WriteString("message", error.Message);
            output.WriteEndObject();
        }

        output.WriteEndArray();
    }

    private static JsonSchemaOptions Options(JsonElement input)
    {
        var options = new JsonSchemaOptions { AssertFormat = ExplainInput.OptionalFlag(input, "formatAssertion") };
        if (ExplainInput.OptionalText(input, "dialect") is { } dialect)
        {
            options = options with { DefaultDialect = dialect };
        }

        if (!input.TryGetProperty("resources", out JsonElement resources))
        {
            return options;
        }

        if (resources.ValueKind != JsonValueKind.Object)
        {
            throw new ExplainInputException($"'resources' must be an object of schemas by URI, found {resources.ValueKind}");
        }

        var documents = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (JsonProperty resource in resources.EnumerateObject())
        {
            documents[resource.Name] = Raw(resource.Value);
        }

        return options with { Resources = documents };
    }

    private static McpSchemaKind Kind(string? kind) => kind switch
    {
        null or "fragment" => McpSchemaKind.Fragment,
        "inputSchema" => McpSchemaKind.InputSchema,
        "outputSchema" => McpSchemaKind.OutputSchema,
        _ => throw new ExplainInputException("'kind' must be fragment, inputSchema or outputSchema"),
    };

    private static byte[] Raw(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).ToArray();

    private static byte[]? Bytes(JsonElement input, string textName, string base64Name)
    {
        if (ExplainInput.OptionalText(input, textName) is { } text)
        {
            return Encode(text);
        }

        if (ExplainInput.OptionalText(input, base64Name) is not { } base64)
        {
            return null;
        }

        byte[] bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out int length)
            ? bytes[..length]
            : throw new ExplainInputException($"'{base64Name}' is not base64");
    }

    /// <summary>UTF-8 that keeps a lone surrogate as the three bytes a careless encoder writes, so that the engine gets to refuse it.</summary>
    private static byte[] Encode(string text)
    {
        var bytes = new List<byte>(text.Length);
        Span<byte> encoded = stackalloc byte[4];
        for (int i = 0; i < text.Length; i++)
        {
            if (Rune.TryGetRuneAt(text, i, out Rune rune))
            {
                bytes.AddRange(encoded[..rune.EncodeToUtf8(encoded)]);
                i += rune.Utf16SequenceLength - 1;
            }
            else
            {
                int unit = text[i];
                bytes.AddRange([(byte)(0xE0 | (unit >> 12)), (byte)(0x80 | ((unit >> 6) & 0x3F)), (byte)(0x80 | (unit & 0x3F))]);
            }
        }

        return [.. bytes];
    }
}
