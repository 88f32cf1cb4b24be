using System.Globalization;
using System.Text;

namespace Mcp.Guard.Unicode;

/// <summary>
/// Percent-decoding as lenient decoders do it: overlong UTF-8 (<c>%c0%ae</c>), the <c>%uXXXX</c> form, bytes that are no UTF-8 as Latin-1.
/// It finds what another program could read into a text; it never makes a value that is used.
/// </summary>
internal static class PercentDecoding
{
    /// <summary>One round of decoding; the same instance where nothing decodes. Malformed escapes stay as they are.</summary>
    public static string DecodeOnce(string text)
    {
        int at = text.IndexOf('%', StringComparison.Ordinal);
        if (at < 0)
        {
            return text;
        }

        StringBuilder? decoded = null;
        int copied = 0;
        while (at >= 0 && at < text.Length)
        {
            int used = TryDecode(text.AsSpan(at), out int value);
            if (used > 0)
            {
                decoded ??= new StringBuilder(text.Length);
                decoded.Append(text, copied, at - copied);
                if (value is >= 0xD800 and <= 0xDFFF || value < 0x10000)
                {
                    decoded.Append((char)value);
                }
                else
                {
                    decoded.Append(char.ConvertFromUtf32(value));
                }

                at += used;
                copied = at;
            }
            else
            {
                at++;
            }

            at = at < text.Length ? text.IndexOf('%', at) : -1;
        }

        return decoded is null ? text : decoded.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>The value of a two-digit escape at the start of a text.</summary>
    public static bool TryReadByte(ReadOnlySpan<char> text, out int value)
    {
        value = 0;
        if (text.Length < 3 || text[0] != '%' || !char.IsAsciiHexDigit(text[1]) || !char.IsAsciiHexDigit(text[2]))
        {
            return false;
        }

        value = (HexValue(text[1]) << 4) | HexValue(text[2]);
        return true;
    }

    /// <summary>Decodes one character; the number of UTF-16 units read, or zero.</summary>
    private static int TryDecode(ReadOnlySpan<char> text, out int value)
    {
        if (text.Length >= 6 && text[1] is 'u' or 'U'
            && ushort.TryParse(text.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit))
        {
            value = unit;
            return 6;
        }

        if (!TryReadByte(text, out int lead))
        {
            value = 0;
            return 0;
        }

        int more = lead switch
        {
            >= 0xC0 and <= 0xDF => 1,
            >= 0xE0 and <= 0xEF => 2,
            >= 0xF0 and <= 0xF7 => 3,
            _ => 0,
        };
        int read = 3;
        value = more switch { 1 => lead & 0x1F, 2 => lead & 0x0F, 3 => lead & 0x07, _ => lead };
        for (int i = 0; i < more; i++)
        {
            // Old decoders mask the second byte of C0 and C1 without looking at it, so %c0%2e is a dot too.
            if (!TryReadByte(text[read..], out int next) || ((next & 0xC0) != 0x80 && lead > 0xC1))
            {
                value = lead;
                return 3;
            }

            value = (value << 6) | (next & 0x3F);
            read += 3;
        }

        if (value > 0x10FFFF)
        {
            value = lead;
            return 3;
        }

        return read;
    }

    private static int HexValue(char c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
