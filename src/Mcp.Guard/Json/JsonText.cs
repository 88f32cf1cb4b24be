using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Mcp.Guard.Json;

/// <summary>
/// Reads JSON strings that <see cref="JsonElement.GetString"/> refuses: an escaped lone surrogate (<c>\ud800</c>) is legal JSON text
/// (RFC 8259 section 8.2) and reaches the caller as the same UTF-16 code unit, so that a control can judge it.
/// </summary>
internal static class JsonText
{
    /// <summary>The value of a JSON string, lone surrogates kept.</summary>
    /// <exception cref="InvalidOperationException">The element is not a string, or its bytes are no UTF-8.</exception>
    public static string GetString(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.String)
        {
            throw new InvalidOperationException($"expected a JSON string, found {element.ValueKind}");
        }

        ReadOnlySpan<byte> inside = JsonMarshal.GetRawUtf8Value(element)[1..^1];
        return Utf8.IsValid(inside) ? Read(inside) : throw new InvalidOperationException("the text is no UTF-8");
    }

    /// <summary>A node over a value, without reading it.</summary>
    public static JsonNode? NodeOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(element),
        JsonValueKind.Array => JsonArray.Create(element),
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        _ => JsonValue.Create(element),
    };

    /// <summary>The name of a member, lone surrogates kept.</summary>
    public static string GetName(JsonProperty property) => Read(JsonMarshal.GetRawUtf8PropertyName(property));

    private static string Read(ReadOnlySpan<byte> inside)
    {
        string raw = Encoding.UTF8.GetString(inside);
        return inside.Contains((byte)'\\') ? Unescape(raw) : raw;
    }

    /// <summary>Undoes the escapes of the inside of a JSON string that a parser has accepted.</summary>
    public static string Unescape(ReadOnlySpan<char> inside)
    {
        var text = new StringBuilder(inside.Length);
        for (int i = 0; i < inside.Length; i++)
        {
            char c = inside[i];
            if (c != '\\')
            {
                text.Append(c);
                continue;
            }

            c = inside[++i];
            switch (c)
            {
                case 'b': text.Append('\b'); break;
                case 'f': text.Append('\f'); break;
                case 'n': text.Append('\n'); break;
                case 'r': text.Append('\r'); break;
                case 't': text.Append('\t'); break;
                case 'u':
                    text.Append((char)ushort.Parse(inside.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                    i += 4;
                    break;
                default: text.Append(c); break;
            }
        }

        return text.ToString();
    }
}
