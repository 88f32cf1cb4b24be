using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// One pass over a text that decides which of the readers have anything to look for in it, 32 characters at a time. It stops at the first unusual character, since
/// then every reader looks for itself.
/// </summary>
internal static class ShapeScan
{
    private const int Block = 32;

    public static TextShape Of(ReadOnlySpan<char> text)
    {
        TextShape shape = TextShape.None;
        ref ushort units = ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(text));
        int at = 0;
        for (int last = text.Length - Block - 1; at <= last; at += Block)
        {
            Vector256<byte> here = Read(ref units, at);
            Vector256<byte> plain = InRange(here, (byte)' ', '~' - ' ') | InRange(here, (byte)'\t', 1);
            if (plain != Vector256<byte>.AllBitsSet && !OnlyLineEnds(text, at, ~plain.ExtractMostSignificantBits()))
            {
                return TextShape.Unusual;
            }

            Vector256<byte> tags = Vector256.Equals(here, Vector256.Create((byte)'<'));
            Vector256<byte> brackets = Vector256.Equals(here, Vector256.Create((byte)']'));
            if ((tags | brackets) != Vector256<byte>.Zero)
            {
                Vector256<byte> next = Read(ref units, at + 1);
                Vector256<byte> elements = InRange(next | Vector256.Create((byte)0x20), (byte)'a', 25)
                    | Vector256.Equals(next, Vector256.Create((byte)'!')) | Vector256.Equals(next, Vector256.Create((byte)'?'));
                Vector256<byte> addresses = Vector256.Equals(next, Vector256.Create((byte)'(')) | Vector256.Equals(next, Vector256.Create((byte)':'));
                shape |= (tags & elements) != Vector256<byte>.Zero ? TextShape.Html : TextShape.None;
                shape |= (tags & Vector256.Equals(next, Vector256.Create((byte)'|'))) != Vector256<byte>.Zero ? TextShape.Turn : TextShape.None;
                shape |= (brackets & addresses) != Vector256<byte>.Zero ? TextShape.Markdown : TextShape.None;
            }
        }

        for (; at < text.Length; at++)
        {
            char c = text[at];
            char next = at + 1 < text.Length ? text[at + 1] : '\0';
            if (c is (< ' ' and not '\t' and not '\n') or > '~' && (c != '\r' || next != '\n'))
            {
                return TextShape.Unusual;
            }

            shape |= c switch
            {
                '<' when char.IsAsciiLetter(next) || next is '!' or '?' => TextShape.Html,
                '<' when next == '|' => TextShape.Turn,
                ']' when next is '(' or ':' => TextShape.Markdown,
                _ => TextShape.None,
            };
        }

        return shape;
    }

    /// <summary>Whether all marked characters are a CR before an LF.</summary>
    private static bool OnlyLineEnds(ReadOnlySpan<char> text, int at, uint marked)
    {
        for (; marked != 0; marked &= marked - 1)
        {
            int place = at + BitOperations.TrailingZeroCount(marked);
            if (text[place] != '\r' || text[place + 1] != '\n')
            {
                return false;
            }
        }

        return true;
    }

    private static Vector256<byte> Read(ref ushort units, int at) =>
        Vector256.NarrowWithSaturation(Vector256.LoadUnsafe(ref units, (nuint)at), Vector256.LoadUnsafe(ref units, (nuint)at + 16));

    private static Vector256<byte> InRange(Vector256<byte> bytes, byte from, int width) =>
        Vector256.LessThanOrEqual(bytes - Vector256.Create(from), Vector256.Create((byte)width));
}
