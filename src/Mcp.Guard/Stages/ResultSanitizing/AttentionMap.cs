using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Finds the next character that the sanitiser must look at: controls, default-ignorable and other invisible characters, CR that is not
/// part of CR LF, and the surrogates of such characters. Everything else passes at the speed of a vectorised scan (ASCII) or of one bit
/// test a character.
/// </summary>
internal static class AttentionMap
{
    /// <summary>After this many ASCII characters in a row the vectorised scan takes over again.</summary>
    private const int AsciiRunForVectors = 24;

    /// <summary>One bit for each UTF-16 unit.</summary>
    private static readonly ulong[] Bits = Build();

    /// <summary>The index of the next character to look at, or the length of the text.</summary>
    public static int Next(ReadOnlySpan<char> text, int start)
    {
        ulong[] bits = Bits;
        int i = start;
        while (i < text.Length)
        {
            i = EndOfPlainAscii(text, i);
            if (i == text.Length)
            {
                return i;
            }

            int asciiRun = 0;
            for (; i < text.Length; i++)
            {
                char c = text[i];
                if ((bits[c >> 6] >> (c & 63) & 1) == 0)
                {
                    asciiRun = c < 0x80 ? asciiRun + 1 : 0;
                    if (asciiRun == AsciiRunForVectors)
                    {
                        i++;
                        break;
                    }

                    continue;
                }

                if (c == '\r' && i + 1 < text.Length && text[i + 1] == '\n')
                {
                    continue;
                }

                if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])
                    && !NeedsAttention(char.ConvertToUtf32(c, text[i + 1])))
                {
                    asciiRun = 0;
                    i++;
                    continue;
                }

                return i;
            }
        }

        return text.Length;
    }

    /// <summary>The end of the ASCII characters from an index on that are printed or TAB or LF.</summary>
    private static int EndOfPlainAscii(ReadOnlySpan<char> text, int start)
    {
        int i = start;
        if (Vector256.IsHardwareAccelerated)
        {
            ref ushort units = ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(text));
            for (int last = text.Length - Vector256<byte>.Count; i <= last; i += Vector256<byte>.Count)
            {
                Vector256<byte> characters = Vector256.NarrowWithSaturation(Vector256.LoadUnsafe(ref units, (nuint)i), Vector256.LoadUnsafe(ref units, (nuint)i + 16));
                Vector256<byte> plain = Vector256.LessThanOrEqual(characters - Vector256.Create((byte)' '), Vector256.Create((byte)('~' - ' ')))
                    | Vector256.LessThanOrEqual(characters - Vector256.Create((byte)'\t'), Vector256.Create((byte)1));
                if (plain != Vector256<byte>.AllBitsSet)
                {
                    return i + System.Numerics.BitOperations.TrailingZeroCount(~plain.ExtractMostSignificantBits());
                }
            }
        }

        while (i < text.Length && text[i] is (>= ' ' and <= '~') or '\t' or '\n')
        {
            i++;
        }

        return i;
    }

    /// <summary>Whether a character beyond the basic plane is one to look at.</summary>
    private static bool NeedsAttention(int point) => point is >= 0x1BCA0 and <= 0x1BCA3 or >= 0x1D173 and <= 0x1D17A or >= 0xE0000 and <= 0xE0FFF
        || (point & 0xFFFE) == 0xFFFE;

    private static ulong[] Build()
    {
        var bits = new ulong[1024];
        for (int c = 0; c <= 0xFFFF; c++)
        {
            bool look = c is < ' ' and not '\t' and not '\n' or >= 0x7F and <= 0x9F or 0x2028 or 0x2029 or 0x2800
                or >= 0xFFF9 and <= 0xFFFB or >= 0xD800 and <= 0xDFFF
                || CodePoints.IsNoncharacter(c) || CodePoints.IsDefaultIgnorable(c);
            if (look)
            {
                bits[c >> 6] |= 1UL << (c & 63);
            }
        }

        return bits;
    }
}
