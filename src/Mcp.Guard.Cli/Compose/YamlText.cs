using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mcp.Guard.Cli.Compose;

/// <summary>Writes a tree of JSON as YAML 1.2 in block style. Every text is double-quoted, so that none can be taken for a number, a flag or a key.</summary>
internal static class YamlText
{
    public static string Write(JsonObject root)
    {
        var text = new StringBuilder();
        Members(text, root, 0);
        return text.ToString();
    }

    private static void Members(StringBuilder text, JsonObject value, int indent)
    {
        foreach ((string key, JsonNode? member) in value)
        {
            text.Append(' ', indent).Append(IsPlainKey(key) ? key : Quote(key)).Append(':');
            Value(text, member, indent);
        }
    }

    private static void Value(StringBuilder text, JsonNode? value, int indent)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } inner:
                text.Append('\n');
                Members(text, inner, indent + 2);
                break;
            case JsonArray { Count: > 0 } list:
                text.Append('\n');
                foreach (JsonNode? item in list)
                {
                    Item(text, item, indent + 2);
                }

                break;
            default:
                text.Append(' ').Append(Scalar(value)).Append('\n');
                break;
        }
    }

    private static void Item(StringBuilder text, JsonNode? item, int indent)
    {
        if (item is not JsonObject { Count: > 0 } inner)
        {
            text.Append(' ', indent).Append("- ").Append(Scalar(item)).Append('\n');
            return;
        }

        int start = text.Length;
        Members(text, inner, indent + 2);
        text[start + indent] = '-'; // the first member stands beside the dash
    }

    private static string Scalar(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        _ when value.GetValueKind() == JsonValueKind.String => Quote(value.GetValue<string>()),
        _ => value.ToJsonString(),
    };

    private static bool IsPlainKey(string key) =>
        key.Length > 0 && char.IsAsciiLetter(key[0]) && key.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')
        && key.ToLowerInvariant() is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off" or "y" or "n");

    /// <summary>YAML 1.2, section 5.7 and 7.3.1: printable ASCII as it is, all else as an escape.</summary>
    private static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (Rune rune in text.EnumerateRunes())
        {
            int code = rune.Value;
            _ = code switch
            {
                '"' or '\\' => quoted.Append('\\').Append((char)code),
                >= 0x20 and < 0x7F => quoted.Append((char)code),
                <= 0xFF => quoted.Append(CultureInfo.InvariantCulture, $"\\x{code:X2}"),
                <= 0xFFFF => quoted.Append(CultureInfo.InvariantCulture, $"\\u{code:X4}"),
                _ => quoted.Append(CultureInfo.InvariantCulture, $"\\U{code:X8}"),
            };
        }

        return quoted.Append('"').ToString();
    }
}
