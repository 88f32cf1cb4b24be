using System.Buffers;
using System.Text;

namespace Mcp.Guard.Json;

/// <summary>The escapes of JSON strings as UTF-8 bytes: undone, written as RFC 8785 wants them, and searched for lone surrogates.</summary>
internal static class JsonEscapes
{
    // RFC 8785 section 3.2.2.2: everything else is written as it is, U+007F and U+2028 included.
    private static readonly SearchValues<byte> MustEscape = SearchValues.Create(
        "\"\\\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f"u8);

    /// <summary>
    /// Undoes the escapes of the inside of a JSON string that a parser has accepted.
    /// <paramref name="destination"/> must be as long as <paramref name="inside"/>: undoing never makes a text longer.
    /// </summary>
    /// <returns>False where a surrogate lacks its partner.</returns>
    public static bool TryUnescape(ReadOnlySpan<byte> inside, Span<byte> destination, out int written)
    {
        written = 0;
        while (true)
        {
            int slash = inside.IndexOf((byte)'\\');
            if (slash < 0)
            {
                inside.CopyTo(destination[written..]);
                written += inside.Length;
                return true;
            }

            inside[..slash].CopyTo(destination[written..]);
            written += slash;
            if (!TryReadEscape(inside[slash..], out Rune rune, out int consumed))
            {
                return false;
            }

            written += rune.EncodeToUtf8(destination[written..]);
            inside = inside[(slash + consumed)..];
        }
    }

    /// <summary>Whether every escaped surrogate of an accepted string has its partner.</summary>
    public static bool IsWellFormed(ReadOnlySpan<byte> inside)
    {
        while (true)
        {
            int slash = inside.IndexOf((byte)'\\');
            if (slash < 0)
            {
                return true;
            }

            if (!TryReadEscape(inside[slash..], out _, out int consumed))
            {
                return false;
            }

            inside = inside[(slash + consumed)..];
        }
    }

    /// <summary>Index of the first byte that a canonical string must escape, or -1.</summary>
    public static int IndexOfMustEscape(ReadOnlySpan<byte> text) => text.IndexOfAny(MustEscape);

    /// <summary>Writes the escape of one byte that <see cref="IndexOfMustEscape"/> found; <paramref name="destination"/> holds at least 6 bytes.</summary>
    public static int WriteEscape(byte value, Span<byte> destination)
    {
        destination[0] = (byte)'\\';
        byte letter = value switch
        {
            (byte)'"' => (byte)'"',
            (byte)'\\' => (byte)'\\',
            (byte)'\b' => (byte)'b',
            (byte)'\t' => (byte)'t',
            (byte)'\n' => (byte)'n',
            (byte)'\f' => (byte)'f',
            (byte)'\r' => (byte)'r',
            _ => (byte)'u',
        };
        destination[1] = letter;
        if (letter != (byte)'u')
        {
            return 2;
        }

        destination[2] = (byte)'0';
        destination[3] = (byte)'0';
        destination[4] = HexDigit(value >> 4);
        destination[5] = HexDigit(value & 0xF);
        return 6;
    }

    /// <summary>Reads one escape at the start of <paramref name="text"/>, both halves of a surrogate pair together.</summary>
    private static bool TryReadEscape(ReadOnlySpan<byte> text, out Rune rune, out int consumed)
    {
        consumed = 2;
        byte letter = text.Length > 1 ? text[1] : (byte)0;
        if (letter != (byte)'u')
        {
            rune = new Rune(letter switch
            {
                (byte)'b' => '\b',
                (byte)'f' => '\f',
                (byte)'n' => '\n',
                (byte)'r' => '\r',
                (byte)'t' => '\t',
                _ => (char)letter,
            });
            return letter is (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t';
        }

        consumed = 6;
        if (!TryReadUnit(text, out char first))
        {
            rune = default;
            return false;
        }

        if (Rune.TryCreate(first, out rune))
        {
            return true;
        }

        consumed = 12;
        return TryReadUnit(text[6..], out char second) && Rune.TryCreate(first, second, out rune);
    }

    private static bool TryReadUnit(ReadOnlySpan<byte> text, out char unit)
    {
        unit = default;
        if (text.Length < 6 || text[0] != (byte)'\\' || text[1] != (byte)'u')
        {
            return false;
        }

        int value = 0;
        for (int i = 2; i < 6; i++)
        {
            int digit = HexValue(text[i]);
            if (digit < 0)
            {
                return false;
            }

            value = (value << 4) | digit;
        }

        unit = (char)value;
        return true;
    }

    private static int HexValue(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };

    private static byte HexDigit(int value) => (byte)(value < 10 ? '0' + value : 'a' + value - 10);
}
