using System.Numerics;
using System.Runtime.Intrinsics;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Counts and reads code points of valid UTF-8.</summary>
internal static class Utf8Text
{
    /// <summary>Code points: the bytes that are not continuation bytes (RFC 8259 leaves the unit open; JSON Schema counts characters as RFC 8259 defines them).</summary>
    public static int CountCodePoints(ReadOnlySpan<byte> text)
    {
        int continuations = 0;
        int i = 0;
        for (; text.Length - i >= Vector128<byte>.Count; i += Vector128<byte>.Count)
        {
            // Continuation bytes are 0x80 to 0xBF: as signed numbers, those below -64.
            Vector128<sbyte> bytes = Vector128.Create(text.Slice(i, Vector128<byte>.Count)).AsSByte();
            uint mask = Vector128.LessThan(bytes, Vector128.Create((sbyte)-64)).ExtractMostSignificantBits();
            continuations += BitOperations.PopCount(mask);
        }

        for (; i < text.Length; i++)
        {
            continuations += (text[i] & 0xC0) == 0x80 ? 1 : 0;
        }

        return text.Length - continuations;
    }

    /// <summary>The code point at a position and its length in bytes; the text is valid UTF-8 and the position a boundary in it.</summary>
    public static int CodePointAt(ReadOnlySpan<byte> text, int position, out int length)
    {
        int first = text[position];
        if (first < 0x80)
        {
            length = 1;
            return first;
        }

        if (first < 0xE0)
        {
            length = 2;
            return ((first & 0x1F) << 6) | (text[position + 1] & 0x3F);
        }

        if (first < 0xF0)
        {
            length = 3;
            return ((first & 0x0F) << 12) | ((text[position + 1] & 0x3F) << 6) | (text[position + 2] & 0x3F);
        }

        length = 4;
        return ((first & 0x07) << 18) | ((text[position + 1] & 0x3F) << 12) | ((text[position + 2] & 0x3F) << 6) | (text[position + 3] & 0x3F);
    }

    /// <summary>The code point that ends at a position.</summary>
    public static int CodePointBefore(ReadOnlySpan<byte> text, int position, out int length)
    {
        int start = position - 1;
        while (start > 0 && (text[start] & 0xC0) == 0x80)
        {
            start--;
        }

        return CodePointAt(text, start, out length);
    }
}
