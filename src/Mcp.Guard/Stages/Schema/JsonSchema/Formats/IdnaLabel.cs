using System.Globalization;
using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The rules of one U-label: RFC 5891 section 4.2, the code points of RFC 5892, the directions of RFC 5893.</summary>
internal static class IdnaLabel
{
    /// <summary>Canonical combining class 9 (RFC 5892 appendix A.1 and A.2), of the scripts in use.</summary>
    private static readonly HashSet<int> Viramas =
    [
        0x094D, 0x09CD, 0x0A4D, 0x0ACD, 0x0B4D, 0x0BCD, 0x0C4D, 0x0CCD, 0x0D3B, 0x0D3C, 0x0D4D, 0x0DCA, 0x0E3A, 0x0EBA, 0x0F84, 0x1039, 0x103A,
        0x1714, 0x1734, 0x17D2, 0x1A60, 0x1B44, 0x1BAA, 0x1BAB, 0x1BF2, 0x1BF3, 0x2D7F, 0xA806, 0xA8C4, 0xA953, 0xA9C0, 0xAAF6, 0xABED,
    ];

    public static bool HasPrefix(ReadOnlySpan<byte> label) =>
        label.Length >= 4 && (label[0] | 0x20) == 'x' && (label[1] | 0x20) == 'n' && label[2] == (byte)'-' && label[3] == (byte)'-';

    /// <param name="label">The code points.</param>
    /// <param name="fromAscii">They were decoded from an A-label, which has to hold something that ASCII does not.</param>
    public static bool IsValid(ReadOnlySpan<int> label, bool fromAscii)
    {
        if (label.IsEmpty || label[0] == '-' || label[^1] == '-' || (label.Length > 3 && label[2] == '-' && label[3] == '-'))
        {
            return false;
        }

        if (Category(label[0]) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark)
        {
            return false;
        }

        bool hasWide = false;
        for (int i = 0; i < label.Length; i++)
        {
            hasWide |= label[i] >= 0x80;
            if (!IsAllowed(label, i))
            {
                return false;
            }
        }

        return (hasWide || !fromAscii) && (!IsRightToLeft(label) || KeepsBidiRule(label));
    }

    public static bool IsRightToLeft(ReadOnlySpan<int> label)
    {
        foreach (int codePoint in label)
        {
            if (Direction(codePoint) is 'R' or 'N')
            {
                return true;
            }
        }

        return false;
    }

    public static bool KeepsBidiRule(int[] label) => KeepsBidiRule(label.AsSpan());

    /// <summary>RFC 5893 section 2, for the classes told apart here: R (with AL), L, E (European digits), N (Arabic digits), M (marks), O (others).</summary>
    private static bool KeepsBidiRule(ReadOnlySpan<int> label)
    {
        char first = Direction(label[0]);
        if (first is not ('L' or 'R'))
        {
            return false;
        }

        bool european = false;
        bool arabic = false;
        char last = first;
        foreach (int codePoint in label)
        {
            char direction = Direction(codePoint);
            if (first == 'R' ? direction == 'L' : direction is 'R' or 'N')
            {
                return false;
            }

            european |= direction == 'E';
            arabic |= direction == 'N';
            last = direction == 'M' ? last : direction;
        }

        return first == 'R' ? last is 'R' or 'E' or 'N' && !(european && arabic) : last is 'L' or 'E';
    }

    private static UnicodeCategory Category(int codePoint) => Rune.GetUnicodeCategory(new Rune(codePoint));

    private static char Direction(int codePoint)
    {
        if (codePoint is (>= '0' and <= '9') or (>= 0x6F0 and <= 0x6F9))
        {
            return 'E';
        }

        if (codePoint is (>= 0x660 and <= 0x669) or 0x66B or 0x66C)
        {
            return 'N';
        }

        UnicodeCategory category = Category(codePoint);
        if (category is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format)
        {
            return 'M';
        }

        bool isRightToLeft = codePoint is (>= 0x590 and <= 0x8FF) or (>= 0xFB1D and <= 0xFDFF) or (>= 0xFE70 and <= 0xFEFF) or (>= 0x10800 and <= 0x10FFF) or (>= 0x1E800 and <= 0x1EFFF);
        return isRightToLeft ? 'R' : category <= UnicodeCategory.OtherLetter || category == UnicodeCategory.SpacingCombiningMark ? 'L' : 'O';
    }

    private static bool IsAllowed(ReadOnlySpan<int> label, int i)
    {
        int codePoint = label[i];
        switch (codePoint)
        {
            // RFC 5892 section 2.6: exceptions, first those allowed, then those not.
            case '-' or 0x00DF or 0x03C2 or 0x06FD or 0x06FE or 0x0F0B or 0x3007:
                return true;
            case 0x0640 or 0x07FA or 0x302E or 0x302F or (>= 0x3031 and <= 0x3035) or 0x303B:
                return false;

            // Appendix A: allowed in a context.
            case 0x00B7:
                return At(label, i - 1) == 'l' && At(label, i + 1) == 'l';
            case 0x0375:
                return IsGreek(At(label, i + 1));
            case 0x05F3 or 0x05F4:
                return At(label, i - 1) is >= 0x0590 and <= 0x05FF;
            case 0x30FB:
                return HasJapanese(label);
            case >= 0x0660 and <= 0x0669:
                return !label.ContainsAnyInRange(0x06F0, 0x06F9);
            case >= 0x06F0 and <= 0x06F9:
                return !label.ContainsAnyInRange(0x0660, 0x0669);
            case 0x200D:
                return Viramas.Contains(At(label, i - 1));
            case 0x200C:
                return Viramas.Contains(At(label, i - 1)) || Joins(label, i);
            case < 0x80:
                return char.IsAsciiLetterLower((char)codePoint) || char.IsAsciiDigit((char)codePoint);
            default:
                return !IsCompatibility(codePoint) && Category(codePoint) is UnicodeCategory.LowercaseLetter or UnicodeCategory.OtherLetter or UnicodeCategory.ModifierLetter
                    or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber;
        }
    }

    private static int At(ReadOnlySpan<int> label, int i) => (uint)i < (uint)label.Length ? label[i] : -1;

    private static bool IsGreek(int codePoint) => codePoint is (>= 0x0370 and <= 0x03FF) or (>= 0x1F00 and <= 0x1FFF);

    /// <summary>Blocks of compatibility forms, which are unstable under normalisation (RFC 5892 section 2.2).</summary>
    private static bool IsCompatibility(int codePoint) =>
        codePoint is (>= 0xF900 and <= 0xFAFF) or (>= 0xFB00 and <= 0xFDFF) or (>= 0xFE30 and <= 0xFE4F) or (>= 0xFE70 and <= 0xFEFF)
            or (>= 0xFF00 and <= 0xFFEF) or (>= 0x1D400 and <= 0x1D7FF) or (>= 0x3130 and <= 0x318F) or (>= 0x1100 and <= 0x11FF) or (>= 0x2F800 and <= 0x2FA1F);

    private static bool HasJapanese(ReadOnlySpan<int> label)
    {
        foreach (int codePoint in label)
        {
            if (codePoint is (>= 0x3041 and <= 0x3096) or (>= 0x30A1 and <= 0x30FA) or 0x30FD or 0x30FE or 0x3005 or 0x3007
                or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0x20000 and <= 0x323AF))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A zero width non-joiner between Arabic letters that would join (RFC 5892 appendix A.1).</summary>
    private static bool Joins(ReadOnlySpan<int> label, int i)
    {
        int before = i - 1;
        while (before >= 0 && Category(label[before]) == UnicodeCategory.NonSpacingMark)
        {
            before--;
        }

        int after = i + 1;
        while (after < label.Length && Category(label[after]) == UnicodeCategory.NonSpacingMark)
        {
            after++;
        }

        return IsArabicLetter(At(label, before)) && !JoinsRightOnly(label[before]) && IsArabicLetter(At(label, after));
    }

    private static bool IsArabicLetter(int codePoint) => codePoint is (>= 0x0620 and <= 0x064A) or (>= 0x066E and <= 0x06D3) or (>= 0x0750 and <= 0x077F) && codePoint != 0x0621;

    private static bool JoinsRightOnly(int codePoint) =>
        codePoint is (>= 0x0622 and <= 0x0625) or 0x0627 or 0x0629 or (>= 0x062F and <= 0x0632) or 0x0648 or (>= 0x0671 and <= 0x0677)
            or (>= 0x0688 and <= 0x0699) or 0x06C0 or (>= 0x06C3 and <= 0x06CB) or 0x06CD or 0x06CF or 0x06D2 or 0x06D3;
}
