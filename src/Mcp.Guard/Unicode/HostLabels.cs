using System.Buffers;
using System.Globalization;
using System.Text;

namespace Mcp.Guard.Unicode;

/// <summary>
/// Host names of other scripts: a label is accepted only where every resolver reads the same name from it, and is turned into its ASCII form
/// (Punycode, RFC 3492). Nothing is mapped but case: what UTS 46 would map to something else is refused, because programs differ there.
/// </summary>
internal static class HostLabels
{
    public const int MaxLabelLength = 63;

    private const string Prefix = "xn--";

    /// <summary>Appends the ASCII form of a label that holds other characters; false where the label is not canonical.</summary>
    public static bool TryEncode(ReadOnlySpan<char> label, Span<char> destination, out int length)
    {
        length = 0;
        Span<int> points = stackalloc int[MaxLabelLength];
        int count = 0;
        ReadOnlySpan<char> rest = label;
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(rest, out Rune rune, out int used) != OperationStatus.Done || count == points.Length)
            {
                return false;
            }

            rest = rest[used..];
            points[count++] = Rune.ToLowerInvariant(rune).Value;

            // Versions of UTS 46 disagree whether capital sharp s is sharp s or two letters.
            if (AsciiFolding.TurnsIntoAscii(rune) || rune.Value == 0x1E9E)
            {
                return false;
            }
        }

        return IsCanonical(points[..count]) && TryEncodePunycode(points[..count], destination, out length);
    }

    /// <summary>True for a lower-case <c>xn--</c> label that decodes to a canonical label and encodes back to itself, and for one without that prefix.</summary>
    public static bool IsCanonicalAscii(ReadOnlySpan<char> label)
    {
        if (!label.StartsWith(Prefix, StringComparison.Ordinal))
        {
            // Some parsers take the prefix for one inside a label too, and then refuse or decode the name (System.Uri refuses "_xn--a").
            return !label.Contains(Prefix, StringComparison.Ordinal);
        }

        Span<int> points = stackalloc int[MaxLabelLength];
        Span<char> again = stackalloc char[MaxLabelLength];
        if (!TryDecodePunycode(label[Prefix.Length..], points, out int count))
        {
            return false;
        }

        foreach (int point in points[..count])
        {
            var rune = new Rune(point);
            if (AsciiFolding.TurnsIntoAscii(rune) || Rune.ToLowerInvariant(rune) != rune)
            {
                return false;
            }
        }

        return IsCanonical(points[..count]) && TryEncodePunycode(points[..count], again, out int length) && label.SequenceEqual(again[..length]);
    }

    /// <summary>Lower-case code points in the form that NFKC with case folding would leave alone, of kinds that names are made of.</summary>
    private static bool IsCanonical(ReadOnlySpan<int> points)
    {
        int starter = -1;
        int lastRank = 0;
        for (int i = 0; i < points.Length; i++)
        {
            int point = points[i];
            if (point < 0x80)
            {
                if (!char.IsAsciiLetterLower((char)point) && !char.IsAsciiDigit((char)point) && point is not ('-' or '_'))
                {
                    return false;
                }

                starter = point;
                lastRank = 0;
                continue;
            }

            if (!IsNameCharacter(point) || IsInRanges(UnicodeTables.UnstableRanges, point) || IsConjoiningJamo(point))
            {
                return false;
            }

            int rank = CombiningRank(point);
            if (i == 0 && Rune.GetUnicodeCategory(new Rune(point)) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark)
            {
                return false;
            }

            if (rank != 0 && rank < lastRank)
            {
                return false; // marks out of canonical order
            }

            // A mark that could join the letter before it has to have been joined already. A mark after a letter that itself comes apart could
            // join before the parts that are joined now, so that is refused too.
            if (starter >= 0 && (Composes(starter, point) || (rank != 0 && IsInRanges(UnicodeTables.ComposedRanges, starter))))
            {
                return false;
            }

            if (rank == 0)
            {
                starter = point;
            }

            lastRank = rank;
        }

        return points.Length > 0;
    }

    private static bool IsNameCharacter(int point) => Rune.GetUnicodeCategory(new Rune(point)) switch
    {
        UnicodeCategory.LowercaseLetter or UnicodeCategory.OtherLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.UppercaseLetter
            or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber
            or UnicodeCategory.OtherSymbol => true,
        // Allowed inside names by RFC 5892 appendix A (CONTEXTO).
        _ => point is 0xB7 or 0x375 or 0x5F3 or 0x5F4 or 0x30FB,
    };

    private static bool IsConjoiningJamo(int point) => point is (>= 0x1100 and <= 0x11FF) or (>= 0xA960 and <= 0xA97F) or (>= 0xD7B0 and <= 0xD7FF);

    private static bool Composes(int first, int second)
    {
        ulong pair = ((ulong)(uint)first << 32) | (uint)second;
        return UnicodeTables.CompositionPairs.BinarySearch(pair) >= 0;
    }

    private static int CombiningRank(int point)
    {
        ReadOnlySpan<int> ranges = UnicodeTables.CombiningRanges;
        int low = 0;
        int high = (ranges.Length / 3) - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (point < ranges[middle * 3])
            {
                high = middle - 1;
            }
            else if (point > ranges[(middle * 3) + 1])
            {
                low = middle + 1;
            }
            else
            {
                return ranges[(middle * 3) + 2];
            }
        }

        return 0;
    }

    private static bool IsInRanges(ReadOnlySpan<int> ranges, int point)
    {
        int low = 0;
        int high = (ranges.Length / 2) - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (point < ranges[middle * 2])
            {
                high = middle - 1;
            }
            else if (point > ranges[(middle * 2) + 1])
            {
                low = middle + 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryEncodePunycode(ReadOnlySpan<int> points, Span<char> destination, out int length)
    {
        Prefix.CopyTo(destination);
        length = Prefix.Length;
        int basic = 0;
        foreach (int point in points)
        {
            if (point < 0x80)
            {
                if (length >= MaxLabelLength)
                {
                    return false;
                }

                destination[length++] = (char)point;
                basic++;
            }
        }

        if (basic > 0)
        {
            if (length >= MaxLabelLength)
            {
                return false;
            }

            destination[length++] = '-';
        }

        int current = 0x80;
        int delta = 0;
        int bias = 72;
        int handled = basic;
        while (handled < points.Length)
        {
            int next = int.MaxValue;
            foreach (int point in points)
            {
                next = point >= current && point < next ? point : next;
            }

            // At most 63 points below 0x110000: this cannot overflow.
            delta += (next - current) * (handled + 1);
            current = next;
            foreach (int point in points)
            {
                if (point < current)
                {
                    delta++;
                }
                else if (point == current)
                {
                    int rest = delta;
                    for (int k = 36; ; k += 36)
                    {
                        int threshold = Threshold(k, bias);
                        if (length >= MaxLabelLength)
                        {
                            return false;
                        }

                        if (rest < threshold)
                        {
                            destination[length++] = Digit(rest);
                            break;
                        }

                        destination[length++] = Digit(threshold + ((rest - threshold) % (36 - threshold)));
                        rest = (rest - threshold) / (36 - threshold);
                    }

                    bias = Adapt(delta, handled + 1, handled == basic);
                    delta = 0;
                    handled++;
                }
            }

            delta++;
            current++;
        }

        return true;
    }

    private static bool TryDecodePunycode(ReadOnlySpan<char> text, Span<int> points, out int count)
    {
        count = 0;
        int hyphen = text.LastIndexOf('-');
        ReadOnlySpan<char> basic = hyphen > 0 ? text[..hyphen] : [];
        ReadOnlySpan<char> rest = hyphen > 0 ? text[(hyphen + 1)..] : text;
        if (basic.Length >= points.Length || rest.IsEmpty)
        {
            return false;
        }

        foreach (char c in basic)
        {
            points[count++] = c;
        }

        int current = 0x80;
        int bias = 72;
        long index = 0;
        while (!rest.IsEmpty)
        {
            long start = index;
            long weight = 1;
            for (int k = 36; ; k += 36)
            {
                if (rest.IsEmpty)
                {
                    return false;
                }

                int digit = rest[0] switch
                {
                    >= 'a' and <= 'z' => rest[0] - 'a',
                    >= '0' and <= '9' => rest[0] - '0' + 26,
                    _ => -1,
                };
                rest = rest[1..];
                if (digit < 0)
                {
                    return false;
                }

                index += digit * weight;
                if (index > int.MaxValue)
                {
                    return false;
                }

                int threshold = Threshold(k, bias);
                if (digit < threshold)
                {
                    break;
                }

                weight *= 36 - threshold;
                if (weight > int.MaxValue)
                {
                    return false;
                }
            }

            count++;
            if (count > points.Length)
            {
                return false;
            }

            bias = Adapt((int)(index - start), count, start == 0);
            long point = current + (index / count);
            if (point > 0x10FFFF || !Rune.IsValid((int)point))
            {
                return false;
            }

            current = (int)point;
            int at = (int)(index % count);
            points[at..(count - 1)].CopyTo(points[(at + 1)..]);
            points[at] = current;
            index = at + 1;
        }

        return true;
    }

    private static int Threshold(int k, int bias) => Math.Clamp(k - bias, 1, 26);

    private static char Digit(int value) => (char)(value < 26 ? 'a' + value : '0' + value - 26);

    private static int Adapt(int delta, int count, bool first)
    {
        delta = first ? delta / 700 : delta / 2;
        delta += delta / count;
        int k = 0;
        while (delta > 455)
        {
            delta /= 35;
            k += 36;
        }

        return k + (36 * delta / (delta + 38));
    }
}
