using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Runs code of the host over every string of a value that the guard's own has cleaned. The same value where no string changes.</summary>
internal static class HostText
{
    public static JsonElement Apply(JsonElement value, Func<string, string> change, ContentPlace place = ContentPlace.Elsewhere)
    {
        bool changed = false;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(value, change, place, writer, ref changed);
        }

        return changed ? JsonDocument.Parse(buffer.WrittenMemory).RootElement : value;
    }

    private static void Write(JsonElement value, Func<string, string> change, ContentPlace place, Utf8JsonWriter writer, ref bool changed)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    Write(member.Value, change, ContentPlaces.Of(place, value, member), writer, ref changed);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(item, change, ContentPlaces.OfItem(place), writer, ref changed);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String when !ContentPlaces.IsBinary(place):
                string text = JsonText.GetString(value);
                string result = change(text);
                changed |= !string.Equals(text, result, StringComparison.Ordinal);
                writer.WriteStringValue(result);
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
