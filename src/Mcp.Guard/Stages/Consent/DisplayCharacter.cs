using System.Globalization;
using System.Text;

namespace Mcp.Guard.Stages.Consent;

/// <summary>Which characters a person can see for what they are. All others are shown by their code point.</summary>
internal static class DisplayCharacter
{
    // Blank, or drawn as nothing, by other properties than their category (Unicode 15, DerivedCoreProperties, Default_Ignorable_Code_Point;
    // U+2800 is the Braille pattern without dots).
    private const string LooksBlank = "\u034F\u115F\u1160\u17B4\u17B5\u2800\u3164\uFFA0";

    /// <summary>True where the character is drawn, stays in its place and is no white space but U+0020.</summary>
    public static bool IsPlain(Rune rune)
    {
        if (rune.IsAscii)
        {
            return rune.Value is >= ' ' and < 0x7F;
        }

        switch (Rune.GetUnicodeCategory(rune))
        {
            case UnicodeCategory.Control:
            case UnicodeCategory.Format:
            case UnicodeCategory.LineSeparator:
            case UnicodeCategory.ParagraphSeparator:
            case UnicodeCategory.SpaceSeparator:
            case UnicodeCategory.Surrogate:
            case UnicodeCategory.PrivateUse:
            case UnicodeCategory.OtherNotAssigned:
                return false;
            default:
                return rune.Value is not ((>= 0x180B and <= 0x180F) or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0000 and <= 0xE0FFF))
                    && !(rune.IsBmp && LooksBlank.Contains((char)rune.Value, StringComparison.Ordinal));
        }
    }

    /// <summary>True for a mark that is drawn over its neighbour: harmless alone, able to hide the text around it in numbers.</summary>
    public static bool IsMark(Rune rune) => !rune.IsAscii
        && Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.SpacingCombiningMark;

    /// <summary>True for white space, control characters that move the cursor to a line, and what is drawn blank.</summary>
    public static bool IsBlank(char c) => char.IsWhiteSpace(c) || LooksBlank.Contains(c, StringComparison.Ordinal);

    /// <summary>The name of a run of blanks, for example <c>spaces</c>.</summary>
    public static string BlankName(char c) => c switch
    {
        ' ' => "spaces",
        '\t' => "tabs",
        '\n' => "line feeds",
        '\r' => "carriage returns",
        '\u00A0' => "no-break spaces",
        _ => string.Create(CultureInfo.InvariantCulture, $"U+{(int)c:X4}"),
    };

    /// <summary>Writes a character that is not plain, as JSON would escape it: a short escape, <c>\u202E</c>, or <c>\u{E0041}</c> beyond U+FFFF.</summary>
    public static void AppendEscaped(StringBuilder text, int value)
    {
        switch (value)
        {
            case '\t': text.Append("\\t"); break;
            case '\n': text.Append("\\n"); break;
            case '\r': text.Append("\\r"); break;
            case <= 0xFFFF: text.Append(CultureInfo.InvariantCulture, $"\\u{value:X4}"); break;
            default: text.Append(CultureInfo.InvariantCulture, $"\\u{{{value:X}}}"); break;
        }
    }
}
