using System.Globalization;
using System.Text;

namespace Mcp.Guard.Unicode;

/// <summary>Classes of characters that a name of a file or host must be judged by.</summary>
internal static class TextHazards
{
    /// <summary>C0 and C1 controls and delete.</summary>
    public static bool IsControl(char c) => c < 0x20 || (c >= 0x7F && c <= 0x9F);

    /// <summary>Characters that reorder the text around them (Unicode property Bidi_Control).</summary>
    public static bool IsBidiControl(char c) => c is '\u061C' or '\u200E' or '\u200F' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    /// <summary>Characters of no width that no script needs inside a name: zero width space, word joiner, byte order mark.</summary>
    public static bool IsHiddenBreak(char c) => c is '\u200B' or '\u2060' or '\uFEFF';

    /// <summary>Characters that a file system or a server may drop: format characters and those with the property Default_Ignorable_Code_Point.</summary>
    public static bool IsIgnorable(Rune rune)
    {
        if (rune.IsAscii)
        {
            return false;
        }

        return rune.Value switch
        {
            0xAD or 0x34F or 0x61C or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x3164 or 0xFEFF or 0xFFA0 => true,
            >= 0x180B and <= 0x180F => true,
            >= 0x200B and <= 0x200F => true,
            >= 0x202A and <= 0x202E => true,
            >= 0x2060 and <= 0x206F => true,
            >= 0xFE00 and <= 0xFE0F => true,
            >= 0xFFF0 and <= 0xFFF8 => true,
            >= 0x1BCA0 and <= 0x1BCA3 => true,
            >= 0x1D173 and <= 0x1D17A => true,
            >= 0xE0000 and <= 0xE0FFF => true,
            _ => Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format,
        };
    }

    /// <summary>True where a UTF-16 text holds half of a surrogate pair.</summary>
    public static bool HasLoneSurrogate(ReadOnlySpan<char> text)
    {
        int at = text.IndexOfAnyInRange('\uD800', '\uDFFF');
        if (at < 0)
        {
            return false;
        }

        for (int i = at; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]))
            {
                if (i + 1 >= text.Length || !char.IsLowSurrogate(text[i + 1]))
                {
                    return true;
                }

                i++;
            }
            else if (char.IsLowSurrogate(text[i]))
            {
                return true;
            }
        }

        return false;
    }
}
