using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>An immutable set of code points: a bitmap for ASCII, sorted ranges and general categories for the rest.</summary>
internal sealed class CharacterSet
{
    public const int MaxCodePoint = 0x10FFFF;

    private readonly ulong _low;
    private readonly ulong _high;
    private readonly int[] _ranges;
    private readonly uint _categories;
    private readonly bool _negated;

    private CharacterSet(ulong low, ulong high, int[] ranges, uint categories, bool negated)
    {
        _low = low;
        _high = high;
        _ranges = ranges;
        _categories = categories;
        _negated = negated;
    }

    /// <summary>Whether code points above ASCII can be in the set.</summary>
    public bool MayHoldNonAscii => _negated || _categories != 0 || _ranges.Length > 0;

    /// <summary>Whether exactly all code points above ASCII are in the set, so that a byte test decides.</summary>
    public bool HoldsAllNonAscii => _negated ? _categories == 0 && _ranges.Length == 0 : _ranges is [0x80, MaxCodePoint];

    /// <summary>The code point where the set holds just one; -1 otherwise.</summary>
    public int Single
    {
        get
        {
            if (MayHoldNonAscii)
            {
                return !_negated && _categories == 0 && _low == 0 && _high == 0 && _ranges.Length == 2 && _ranges[0] == _ranges[1] ? _ranges[0] : -1;
            }

            return ulong.PopCount(_low) + ulong.PopCount(_high) != 1 ? -1
                : _low != 0 ? (int)ulong.TrailingZeroCount(_low) : 64 + (int)ulong.TrailingZeroCount(_high);
        }
    }

    /// <summary>Builds a set from ranges (pairs, any order) and categories.</summary>
    public static CharacterSet Of(List<(int First, int Last)> ranges, uint categories, bool negated)
    {
        ulong low = 0;
        ulong high = 0;
        var wide = new List<(int First, int Last)>();
        foreach ((int first, int last) in ranges)
        {
            for (int c = first; c <= Math.Min(last, 127); c++)
            {
                SetBit(ref low, ref high, c);
            }

            if (last >= 128)
            {
                wide.Add((Math.Max(first, 128), last));
            }
        }

        if (categories != 0)
        {
            for (int c = 0; c < 128; c++)
            {
                if ((categories & (1u << (int)CharUnicodeInfo.GetUnicodeCategory(c))) != 0)
                {
                    SetBit(ref low, ref high, c);
                }
            }
        }

        wide.Sort();
        var merged = new List<int>();
        foreach ((int first, int last) in wide)
        {
            if (merged.Count > 0 && first <= merged[^1] + 1)
            {
                merged[^1] = Math.Max(merged[^1], last);
            }
            else
            {
                merged.Add(first);
                merged.Add(last);
            }
        }

        return negated
            ? new CharacterSet(~low, ~high, [.. merged], categories, true)
            : new CharacterSet(low, high, [.. merged], categories, false);
    }

    public static CharacterSet Of(int codePoint) => Of([(codePoint, codePoint)], 0, false);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ContainsAscii(int c) => ((c < 64 ? _low >> c : _high >> (c - 64)) & 1) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(int codePoint) => codePoint < 128 ? ContainsAscii(codePoint) : ContainsWide(codePoint);

    /// <summary>Whether no code point is in both; may say no where it cannot tell.</summary>
    public bool IsDisjointFrom(CharacterSet other) =>
        (_low & other._low) == 0 && (_high & other._high) == 0 && !(MayHoldNonAscii && other.MayHoldNonAscii);

    private bool ContainsWide(int codePoint)
    {
        int[] ranges = _ranges;
        bool found = false;
        int from = 0;
        int to = (ranges.Length / 2) - 1;
        while (from <= to)
        {
            int middle = (from + to) >> 1;
            if (codePoint < ranges[middle * 2])
            {
                to = middle - 1;
            }
            else if (codePoint > ranges[(middle * 2) + 1])
            {
                from = middle + 1;
            }
            else
            {
                found = true;
                break;
            }
        }

        if (!found && _categories != 0)
        {
            found = (_categories & (1u << (int)Rune.GetUnicodeCategory(new Rune(codePoint)))) != 0;
        }

        return found != _negated;
    }

    private static void SetBit(ref ulong low, ref ulong high, int c)
    {
        if (c < 64)
        {
            low |= 1UL << c;
        }
        else
        {
            high |= 1UL << (c - 64);
        }
    }
}
