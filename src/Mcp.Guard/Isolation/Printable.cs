using System.Globalization;
using System.Text;

namespace Mcp.Guard.Isolation;

/// <summary>Writes text of a policy or a server on one line so that it cannot be mistaken for several values or steer a terminal.</summary>
internal static class Printable
{
    /// <summary>The text itself where it is plain, else in double quotes with control and format characters escaped.</summary>
    public static string Quote(string text)
    {
        bool plain = text.Length > 0;
        foreach (char c in text)
        {
            plain &= char.IsAsciiLetterOrDigit(c) || "/._-+=:,@%".Contains(c, StringComparison.Ordinal);
        }

        return plain ? text : $"\"{Escape(text, quotes: true)}\"";
    }

    /// <summary>Control, format and unpaired characters as <c>\u{hex}</c>; all else as it is.</summary>
    public static string Escape(string text, bool quotes = false)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            if (quotes && (rune.Value is '"' or '\\'))
            {
                escaped.Append('\\').Append((char)rune.Value);
            }
            else if (category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)
            {
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
            }
            else
            {
                escaped.Append(rune.ToString());
            }
        }

        return escaped.ToString();
    }
}
