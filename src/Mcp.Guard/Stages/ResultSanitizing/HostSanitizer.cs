using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Runs a sanitiser of the host over every string of a value that the built-in one has cleaned.</summary>
internal static class HostSanitizer
{
    public static JsonElement Apply(JsonElement value, IContentSanitizer sanitizer, ContentPlace place = ContentPlace.Elsewhere)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(value, sanitizer, place, writer);
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }

    private static void Write(JsonElement value, IContentSanitizer sanitizer, ContentPlace place, Utf8JsonWriter writer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    Write(member.Value, sanitizer, ContentPlaces.Of(place, value, member), writer);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(item, sanitizer, ContentPlaces.OfItem(place), writer);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String when !ContentPlaces.IsBinary(place):
                writer.WriteStringValue(sanitizer.Sanitize(JsonText.GetString(value), ContentSurface.Result).Text);
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
