using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>A record for eyes outside the log's own folder: keyed digests and the links of the chain stay behind.</summary>
internal static class AuditExport
{
    /// <summary>Writes the record as one JSON object.</summary>
    public static void Write(AuditEntry entry, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach (JsonProperty member in entry.Json.EnumerateObject())
        {
            if (member.NameEquals("prev"u8) || member.NameEquals("hash"u8) || IsKeyedDigest(member))
            {
                continue;
            }

            writer.WritePropertyName(member.Name);
            if (member.NameEquals("notes"u8))
            {
                WriteNotes(member.Value, writer);
            }
            else
            {
                member.Value.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }

    /// <summary>
    /// True for a digest that is keyed and may not leave the log. It goes by the member's name as well: a caller or tool that is called like a digest must not
    /// vanish from an export.
    /// </summary>
    public static bool IsKeyedDigest(JsonProperty member) =>
        (member.NameEquals("argumentsDigest"u8) || member.NameEquals("resultDigest"u8) || member.NameEquals("deliveredDigest"u8) || member.NameEquals("digest"u8))
        && !(member.Value.ValueKind == JsonValueKind.String
            && System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(member.Value).StartsWith("\"sha256:"u8));

    private static void WriteNotes(JsonElement notes, Utf8JsonWriter writer)
    {
        if (notes.ValueKind != JsonValueKind.Object)
        {
            writer.WriteNullValue();
            return;
        }

        writer.WriteStartObject();
        foreach (JsonProperty note in notes.EnumerateObject())
        {
            writer.WritePropertyName(note.Name);
            if (note.Value.ValueKind != JsonValueKind.Object)
            {
                note.Value.WriteTo(writer);
                continue;
            }

            writer.WriteStartObject();
            foreach (JsonProperty detail in note.Value.EnumerateObject())
            {
                if (!IsKeyedDigest(detail))
                {
                    writer.WritePropertyName(detail.Name);
                    detail.Value.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }
}
