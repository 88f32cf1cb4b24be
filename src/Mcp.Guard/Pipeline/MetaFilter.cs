using System.Buffers;
using System.Text.Json;

namespace Mcp.Guard.Pipeline;

/// <summary>Lets only known keys of <c>_meta</c> pass, in both directions: the rest is a channel that no control looks into.</summary>
internal static class MetaFilter
{
    private static readonly byte[][] Known =
    [
        "progressToken"u8.ToArray(),
        "io.modelcontextprotocol/protocolVersion"u8.ToArray(),
        "io.modelcontextprotocol/clientInfo"u8.ToArray(),
        "io.modelcontextprotocol/serverInfo"u8.ToArray(),
        "io.modelcontextprotocol/clientCapabilities"u8.ToArray(),
        "io.modelcontextprotocol/logLevel"u8.ToArray(),
        "io.modelcontextprotocol/subscriptionId"u8.ToArray(),
        "traceparent"u8.ToArray(),
        "tracestate"u8.ToArray(),
    ];

    /// <summary>The same value where its <c>_meta</c> has only known keys; otherwise a copy without the others. A <c>_meta</c> that is no object is left out.</summary>
    public static JsonElement Apply(JsonElement payload)
    {
        if (payload.ValueKind != JsonValueKind.Object || !payload.TryGetProperty("_meta"u8, out JsonElement meta))
        {
            return payload;
        }

        bool known = meta.ValueKind == JsonValueKind.Object;
        if (known)
        {
            foreach (JsonProperty property in meta.EnumerateObject())
            {
                known &= IsKnown(property);
            }
        }

        return known ? payload : Rewrite(payload, meta);
    }

    private static bool IsKnown(JsonProperty property)
    {
        foreach (byte[] name in Known)
        {
            if (property.NameEquals(name))
            {
                return true;
            }
        }

        return false;
    }

    private static JsonElement Rewrite(JsonElement payload, JsonElement meta)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (JsonProperty property in payload.EnumerateObject())
            {
                if (!property.NameEquals("_meta"u8))
                {
                    property.WriteTo(writer);
                    continue;
                }

                if (meta.ValueKind != JsonValueKind.Object)
                {
                    continue;
                }

                writer.WriteStartObject("_meta"u8);
                foreach (JsonProperty inner in meta.EnumerateObject())
                {
                    if (IsKnown(inner))
                    {
                        inner.WriteTo(writer);
                    }
                }

                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }
}
