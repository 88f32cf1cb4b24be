using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Runs a sanitiser of the host over every string of a value that the built-in one has cleaned.</summary>
internal static class HostSanitizer
{
    public static JsonElement Apply(JsonElement value, IContentSanitizer sanitizer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(value, sanitizer, writer);
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }

    private static void Write(JsonElement value, IContentSanitizer sanitizer, Utf8JsonWriter writer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    Write(member.Value, sanitizer, writer);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(item, sanitizer, writer);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(sanitizer.Sanitize(JsonText.GetString(value), ContentSurface.Result).Text);
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
