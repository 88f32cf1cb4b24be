using System.Text;
using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// The skeleton of UTS 39 section 4: two texts that look alike have the same one. It is only ever compared, never shown.
/// Compatibility decompositions are applied too, because fullwidth and styled letters are look-alikes that confusables.txt leaves to them.
/// The data are the library's own (<see cref="ConfusableTables"/>): the platform normalises nothing where it runs without cultures.
/// </summary>
internal static class ConfusableSkeleton
{
    /// <summary>Longer texts are not compared: a tool name has at most 128 characters.</summary>
    public const int MaxLength = 256;

    private const int HangulFirst = 0xAC00;
    private const int HangulCount = 11172;

    /// <summary>The skeleton of a text; the text itself where it is longer than <see cref="MaxLength"/>. Never throws, lone surrogates included.</summary>
    public static string Of(string text)
    {
        if (text.Length > MaxLength)
        {
            return text;
        }

        var decomposed = new PooledList<int>(stackalloc int[MaxLength]);
        var mapped = new PooledList<int>(stackalloc int[MaxLength]);
        try
        {
            Decompose(text, ref decomposed);
            Reorder(decomposed.Slice(0, decomposed.Count));
            foreach (int code in decomposed.Written)
            {
                if (IsIgnorable(code))
                {
                    continue;
                }

                if (TryFind(ConfusableTables.ConfusedFrom, ConfusableTables.ConfusedTo, code, out ReadOnlySpan<char> prototype))
                {
                    Decompose(prototype, ref mapped);
                }
                else
                {
                    mapped.Add(code);
                }
            }

            Reorder(mapped.Slice(0, mapped.Count));
            var skeleton = new StringBuilder(mapped.Count);
            foreach (int code in mapped.Written)
            {
                if (code > 0xFFFF)
                {
                    skeleton.Append(char.ConvertFromUtf32(code));
                }
                else
                {
                    skeleton.Append((char)code);
                }
            }

            return skeleton.ToString();
        }
        finally
        {
            decomposed.Dispose();
            mapped.Dispose();
        }
    }

    private static void Decompose(ReadOnlySpan<char> text, ref PooledList<int> output)
    {
        while (!text.IsEmpty)
        {
            int code = text[0];
            int length = 1;
            if (Rune.DecodeFromUtf16(text, out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done)
            {
                code = rune.Value;
                length = consumed;
            }

            text = text[length..];
            if (code < 0xC0)
            {
                output.Add(code);
            }
            else if ((uint)(code - HangulFirst) < HangulCount)
            {
                // The Unicode Standard, section 3.12: syllables decompose by arithmetic.
                int index = code - HangulFirst;
                output.Add(0x1100 + index / 588);
                output.Add(0x1161 + index % 588 / 28);
                if (index % 28 != 0)
                {
                    output.Add(0x11A7 + index % 28);
                }
            }
            else if (TryFind(ConfusableTables.DecomposedFrom, ConfusableTables.DecomposedTo, code, out ReadOnlySpan<char> parts))
            {
                // The table holds decompositions to the end.
                while (!parts.IsEmpty)
                {
                    Rune.DecodeFromUtf16(parts, out Rune part, out int partLength);
                    output.Add(part.Value);
                    parts = parts[partLength..];
                }
            }
            else
            {
                output.Add(code);
            }
        }
    }

    /// <summary>The canonical order of marks. The quadratic step is bounded by <see cref="MaxLength"/>.</summary>
    private static void Reorder(Span<int> codes)
    {
        for (int i = 1; i < codes.Length; i++)
        {
            int moved = codes[i];
            int order = CombiningClass(moved);
            int j = i;
            while (order > 0 && j > 0 && CombiningClass(codes[j - 1]) > order)
            {
                codes[j] = codes[j - 1];
                j--;
            }

            codes[j] = moved;
        }
    }

    private static int CombiningClass(int code)
    {
        if (code < 0x300)
        {
            return 0;
        }

        int index = ConfusableTables.ClassFirst.BinarySearch(code);
        index = index < 0 ? ~index - 1 : index;
        if (index < 0)
        {
            return 0;
        }

        int entry = ConfusableTables.ClassLast[index];
        return code <= entry >> 8 ? entry & 0xFF : 0;
    }

    private static bool IsIgnorable(int code)
    {
        int index = ConfusableTables.Ignorable.BinarySearch(code);
        return index >= 0 || (~index & 1) == 1;
    }

    private static bool TryFind(ReadOnlySpan<int> from, ReadOnlySpan<int> to, int code, out ReadOnlySpan<char> text)
    {
        int index = from.BinarySearch(code);
        if (index < 0)
        {
            text = default;
            return false;
        }

        int place = to[index];
        text = ConfusableTables.Pool.AsSpan(place >> 5, place & 0x1F);
        return true;
    }
}
