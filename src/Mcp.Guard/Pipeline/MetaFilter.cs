using System.Buffers;
using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Text;
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

    /// <summary>The same for a request.</summary>
    public static RequestPayload ToServer(RequestPayload payload, ServerSettings? settings)
    {
        FrozenSet<string> named = (settings?.Meta ?? MetaSettings.None).ToServer;
        if (payload.IsMissing || payload.HasOnlyPassingMeta(named))
        {
            return payload;
        }

        JsonElement given = payload.Element;
        JsonElement filtered = Apply(given, named);
        bool isSame = JsonMarshal.GetRawUtf8Value(filtered) == JsonMarshal.GetRawUtf8Value(given); // the same memory
        return isSame ? payload : RequestPayload.Of(filtered);
    }

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

    /// <summary>Whether a key passes.</summary>
    /// <param name="key">Its name as UTF-8, escapes undone.</param>
    /// <param name="named">What the policy names.</param>
    public static bool Passes(ReadOnlySpan<byte> key, FrozenSet<string> named)
    {
        foreach (byte[] name in Known)
        {
            if (key.SequenceEqual(name))
            {
                return true;
            }
        }

        return named.Count > 0 && named.Contains(Encoding.UTF8.GetString(key));
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
