using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Tells in one pass whether a text can hold markup that the readers look for: HTML starts with <c>&lt;</c> before a letter, <c>!</c> or <c>?</c>, an address in
/// Markdown stands behind <c>](</c> or <c>]:</c>. Comparisons and indexes of programs are neither.
/// </summary>
internal static class MarkupScan
{
    public static void Find(ReadOnlySpan<char> text, out bool html, out bool markdown)
    {
        html = false;
        markdown = false;
        int at = text.IndexOfAny('<', ']');
        if (at < 0)
        {
            return;
        }

        if (Vector256.IsHardwareAccelerated && text.Length > Vector256<ushort>.Count)
        {
            ref ushort units = ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(text));
            for (int last = text.Length - Vector256<ushort>.Count - 1; at <= last && !(html && markdown); at += Vector256<ushort>.Count)
            {
                Vector256<ushort> here = Vector256.LoadUnsafe(ref units, (nuint)at);
                Vector256<ushort> tags = Vector256.Equals(here, Vector256.Create((ushort)'<'));
                Vector256<ushort> brackets = Vector256.Equals(here, Vector256.Create((ushort)']'));
                if ((tags | brackets) == Vector256<ushort>.Zero)
                {
                    continue;
                }

                Vector256<ushort> next = Vector256.LoadUnsafe(ref units, (nuint)at + 1);
                Vector256<ushort> letters = Vector256.LessThanOrEqual((next | Vector256.Create((ushort)0x20)) - Vector256.Create((ushort)'a'), Vector256.Create((ushort)25));
                html |= (tags & (letters | Vector256.Equals(next, Vector256.Create((ushort)'!')) | Vector256.Equals(next, Vector256.Create((ushort)'?')))) != Vector256<ushort>.Zero;
                markdown |= (brackets & (Vector256.Equals(next, Vector256.Create((ushort)'(')) | Vector256.Equals(next, Vector256.Create((ushort)':')))) != Vector256<ushort>.Zero;
            }
        }

        for (; at + 1 < text.Length; at++)
        {
            char next = text[at + 1];
            html |= text[at] == '<' && (char.IsAsciiLetter(next) || next is '!' or '?');
            markdown |= text[at] == ']' && next is '(' or ':';
        }
    }
}
