using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Pipeline;

/// <summary>
/// Lets only some keys of <c>_meta</c> pass, in both directions: those that the protocol needs and those that the policy names (<c>meta</c> of a server). The
/// rest is a channel that no control looks into.
/// </summary>
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

    /// <summary>What may go to a server. Null settings are those of a server that the policy does not name.</summary>
    public static JsonElement ToServer(JsonElement payload, ServerSettings? settings) => Apply(payload, settings?.Meta.ToServer ?? MetaSettings.None.ToServer);

    /// <summary>What may come from a server.</summary>
    public static JsonElement FromServer(JsonElement payload, ServerSettings? settings) => Apply(payload, settings?.Meta.FromServer ?? MetaSettings.None.FromServer);

    /// <summary>The same value where its <c>_meta</c> has only keys that pass; otherwise a copy without the others. A <c>_meta</c> that is no object is left out.</summary>
    private static JsonElement Apply(JsonElement payload, FrozenSet<string> named)
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
                known &= Passes(property, named);
            }
        }

        return known ? payload : Rewrite(payload, meta, named);
    }

    private static bool Passes(JsonProperty property, FrozenSet<string> named) => IsKnown(property) || (named.Count > 0 && named.Contains(property.Name));

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

    private static JsonElement Rewrite(JsonElement payload, JsonElement meta, FrozenSet<string> named)
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
                    if (Passes(inner, named))
                    {
                        inner.WriteTo(writer);
                    }
                }

                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }
}
