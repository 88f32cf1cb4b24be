using System.Text;
using Mcp.Guard.Hosting;
using Mcp.Guard.Isolation;

namespace Mcp.Guard.Cli.Terminal;

/// <summary>
/// Makes text fit for a terminal. Names, descriptions, paths and messages come from servers and files: escape sequences, line ends and other controls, bidirectional
/// overrides and invisible characters are written as <c>\u{hex}</c>, so that what is seen is what is there.
/// </summary>
internal static class TerminalText
{
    /// <summary>The longest text that is written whole, in UTF-16 units.</summary>
    public const int MaxLength = 8192;

    /// <summary>One line of text of ours that may quote something foreign.</summary>
    public static string Clean(string text)
    {
        bool cut = text.Length > MaxLength;
        string bounded = cut ? text[..MaxLength] : text;
        string clean = IsPlain(bounded) ? bounded : Mark(Printable.Escape(bounded));
        return cut ? clean + " (cut)" : clean;
    }

    /// <summary>A text that a server wrote, on one line: the same, and credentials are taken out. At most <paramref name="max"/> units are kept.</summary>
    public static string FromServer(string text, int max = 200)
    {
        string clean = Mark(ServerText.ForLog(text));
        return clean.Length <= max ? clean : string.Concat(clean.AsSpan(0, char.IsHighSurrogate(clean[max - 1]) ? max - 1 : max), "...");
    }

    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    /// <summary>Characters that no category tells but that show as nothing, or stand upon others without end.</summary>
    private static string Mark(string text)
    {
        StringBuilder? marked = null;
        int marks = 0;
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool combining = Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.EnclosingMark;
            marks = combining ? marks + 1 : 0;
            bool shown = marks <= 2 && rune.Value is not (0x115F or 0x1160 or 0x3164 or 0xFFA0 or 0x2800 or 0x034F or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF));
            if (!shown)
            {
                marked ??= new StringBuilder(text, 0, at, text.Length + 16);
                marked.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
            }
            else
            {
                marked?.Append(rune.ToString());
            }

            at += rune.Utf16SequenceLength;
        }

        return marked?.ToString() ?? text;
    }
}
