using System.Globalization;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Answers questions about one Unicode code point from <see cref="UnicodeTables"/>. No code point (end of text) is -1.</summary>
internal static class CodePoints
{
    public const int None = -1;
    public const int ZeroWidthSpace = 0x200B;
    public const int NonJoiner = 0x200C;
    public const int Joiner = 0x200D;
    public const int EmojiSelector = 0xFE0F;
    public const int BlackFlag = 0x1F3F4;

    public static bool IsDefaultIgnorable(int point) => InPairs(UnicodeTables.DefaultIgnorable, point);

    public static bool IsVirama(int point) => InPairs(UnicodeTables.Virama, point);

    /// <summary>An emoji or a skin tone: what may stand on either side of a joiner in an emoji sequence (UTS 51 section 1.4.9).</summary>
    public static bool IsPictographic(int point) => InPairs(UnicodeTables.ExtendedPictographic, point);

    public static bool IsSkinTone(int point) => point is >= 0x1F3FB and <= 0x1F3FF;

    public static bool IsStrongRightToLeft(int point) => point >= 0x590 && InPairs(UnicodeTables.StrongRightToLeft, point);

    public static bool JoinsAfter(int point) => InPairs(UnicodeTables.JoinsAfter, point);

    public static bool JoinsBefore(int point) => InPairs(UnicodeTables.JoinsBefore, point);

    public static bool IsNoncharacter(int point) => (point & 0xFFFE) == 0xFFFE || point is >= 0xFDD0 and <= 0xFDEF;

    /// <summary>The number of the joining or stacking script of a letter or mark, or -1.</summary>
    public static int JoiningScript(int point)
    {
        int row = FindTriple(UnicodeTables.JoiningScript, point);
        return row >= 0 && (IsLetter(point) || IsMark(point)) ? UnicodeTables.JoiningScript[row + 2] : -1;
    }

    public static bool IsMongolian(int point) => JoiningScript(point) == UnicodeTables.MongolianScript;

    /// <summary>Scripts written without spaces, where a zero width space marks a word end: Thai, Lao, Myanmar, Khmer with their extensions.</summary>
    public static bool IsSoutheastAsian(int point) => point is >= 0x0E00 and <= 0x0EFF or >= 0x1000 and <= 0x109F
        or >= 0x1780 and <= 0x17FF and not (0x17B4 or 0x17B5) or >= 0x19E0 and <= 0x19FF or >= 0xA9E0 and <= 0xA9FF or >= 0xAA60 and <= 0xAA7F or >= 0x116D0 and <= 0x116FF;

    /// <summary>A Braille pattern with at least one dot.</summary>
    public static bool IsDottedBraille(int point) => point is > 0x2800 and <= 0x28FF;

    public static bool IsLeadingJamo(int point) => point is >= 0x1100 and < 0x115F or >= 0xA960 and <= 0xA97C;

    public static bool IsVowelJamo(int point) => point is > 0x1160 and <= 0x11A7 or >= 0xD7B0 and <= 0xD7C6;

    public static bool IsTrailingJamo(int point) => point is >= 0x11A8 and <= 0x11FF or >= 0xD7CB and <= 0xD7FB;

    /// <summary>Whether the sequence of a base and U+FE00 to U+FE0F is one that Unicode lists.</summary>
    public static bool TakesSelector(int point, int selector)
    {
        int row = FindTriple(UnicodeTables.VariationSelectors, point);
        return row >= 0 && (UnicodeTables.VariationSelectors[row + 2] >> (selector - 0xFE00) & 1) != 0;
    }

    /// <summary>Whether the sequence of an ideograph and U+E0100 to U+E01EF is registered (UTS 37).</summary>
    public static bool TakesIdeographicSelector(int point, int selector)
    {
        int registered = 0;
        int index = point - UnicodeTables.IdeographFirst;
        if ((uint)index < (uint)UnicodeTables.IdeographSelectors.Length)
        {
            registered = UnicodeTables.IdeographSelectors[index] - '0';
        }
        else
        {
            int row = FindTriple(UnicodeTables.IdeographSelectorsElsewhere, point);
            registered = row < 0 ? 0 : UnicodeTables.IdeographSelectorsElsewhere[row + 2];
        }

        return selector - 0xE0100 < registered;
    }

    public static bool IsLetter(int point)
    {
        if (point < 0x80)
        {
            return char.IsAsciiLetter((char)point);
        }

        return Category(point) <= UnicodeCategory.OtherLetter && !IsDefaultIgnorable(point);
    }

    /// <summary>A combining mark that is seen: nonspacing, spacing or enclosing, and not default-ignorable.</summary>
    public static bool IsMark(int point) => point >= 0x300
        && Category(point) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
        && !IsDefaultIgnorable(point);

    /// <summary>What ends a word and stays in the text: the end, white space, punctuation, symbols.</summary>
    public static bool EndsWord(int point)
    {
        if (point is None or '\t' or '\n' or '\r' or ' ')
        {
            return true;
        }

        return Category(point) switch
        {
            UnicodeCategory.SpaceSeparator or UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation
                or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation
                or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation or UnicodeCategory.MathSymbol
                or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol or UnicodeCategory.OtherSymbol => point != 0x2800,
            _ => false,
        };
    }

    /// <summary>The code point that starts at an index, or -1 at the end. A lone surrogate is itself.</summary>
    public static int At(ReadOnlySpan<char> text, int index)
    {
        if ((uint)index >= (uint)text.Length)
        {
            return None;
        }

        char c = text[index];
        return char.IsHighSurrogate(c) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1])
            ? char.ConvertToUtf32(c, text[index + 1])
            : c;
    }

    /// <summary>The code point that ends before an index, or -1 at the start.</summary>
    public static int Before(ReadOnlySpan<char> text, int index)
    {
        if (index <= 0)
        {
            return None;
        }

        char c = text[index - 1];
        return char.IsLowSurrogate(c) && index > 1 && char.IsHighSurrogate(text[index - 2]) ? char.ConvertToUtf32(text[index - 2], c) : c;
    }

    public static int Length(int point) => point > 0xFFFF ? 2 : 1;

    /// <summary>The ASCII letter or digit that a character looks like after its marks and dress are taken off, or '\0'.</summary>
    public static char AsciiLookalike(int point)
    {
        int row = FindTriple(UnicodeTables.AsciiLookalike, point);
        return row < 0 ? '\0' : (char)(UnicodeTables.AsciiLookalike[row + 2] + point - UnicodeTables.AsciiLookalike[row]);
    }

    /// <summary>The ranges of code points that have an ASCII look-alike by their decomposition.</summary>
    public static IEnumerable<(int From, int To)> AsciiLookalikes
    {
        get
        {
            for (int row = 0; row < UnicodeTables.AsciiLookalike.Length; row += 3)
            {
                yield return (UnicodeTables.AsciiLookalike[row], UnicodeTables.AsciiLookalike[row + 1]);
            }
        }
    }

    private static UnicodeCategory Category(int point) => CharUnicodeInfo.GetUnicodeCategory(point);

    private static bool InPairs(ReadOnlySpan<int> pairs, int point)
    {
        int low = 0;
        int high = (pairs.Length / 2) - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (point < pairs[2 * middle])
            {
                high = middle - 1;
            }
            else if (point > pairs[(2 * middle) + 1])
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

    /// <summary>The index of the row (first, last, value) that holds a code point, or -1.</summary>
    private static int FindTriple(ReadOnlySpan<int> triples, int point)
    {
        int low = 0;
        int high = (triples.Length / 3) - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (point < triples[3 * middle])
            {
                high = middle - 1;
            }
            else if (point > triples[(3 * middle) + 1])
            {
                low = middle + 1;
            }
            else
            {
                return 3 * middle;
            }
        }

        return -1;
    }
}
