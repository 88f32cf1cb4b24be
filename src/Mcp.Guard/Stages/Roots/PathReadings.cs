using System.Text;
using Mcp.Guard.Unicode;

namespace Mcp.Guard.Stages.Roots;

/// <summary>
/// Every way in which a server, a framework or a file system between the guard and the file could read a path differently: decoded, folded,
/// trimmed, with other separators, with parts dropped, and every order of those steps.
/// </summary>
internal sealed class PathReadings
{
    /// <summary>
    /// The number of different readings of one text that are looked at. A text that people write has a handful; one that has more is denied,
    /// which also bounds the work of a hostile one.
    /// </summary>
    public const int MaxReadings = 96;

    private static readonly char[] Quotes = ['"', '\'', '`', '\u2018', '\u2019', '\u201C', '\u201D', '\u00AB', '\u00BB'];

    private readonly List<string> _readings;
    private readonly HashSet<string> _seen;
    private readonly PathFlavor _flavor;
    private int _expanded;
    private int _given;

    public PathReadings(string text, PathFlavor flavor)
    {
        _readings = [text];
        _seen = new HashSet<string>(StringComparer.Ordinal) { text };
        _flavor = flavor;
        _given = 1;
    }

    /// <summary>True where the text has more readings than <see cref="MaxReadings"/>.</summary>
    public bool TooMany { get; private set; }

    /// <summary>The next reading that differs from the text and from all before it, or null.</summary>
    public string? Next()
    {
        while (_given >= _readings.Count && _expanded < _readings.Count && !TooMany)
        {
            Expand(_readings[_expanded++]);
        }

        return _given < _readings.Count ? _readings[_given++] : null;
    }

    private void Expand(string text)
    {
        Add(PercentDecoding.DecodeOnce(text));
        Add(FoldCompatibility(text));
        Add(DropIgnorable(text));
        if (_flavor == PathFlavor.Unix)
        {
            Add(text.Replace('\\', '/'));
        }

        Add(DropParameters(text));
        Add(Trim(text));
        Add(DropTrailing(text));
    }

    private void Add(string reading)
    {
        // Transformations that change nothing return their input.
        if (reading.Length > 4 * PathRules.MaxWindowsChars)
        {
            TooMany = true;
            return;
        }

        if (_seen.Contains(reading))
        {
            return;
        }

        if (_readings.Count >= MaxReadings)
        {
            TooMany = true;
            return;
        }

        _seen.Add(reading);
        _readings.Add(reading);
    }

    /// <summary>NFKC as far as it yields ASCII, and what converters to older encodings put in place of characters that these lack.</summary>
    public static string FoldCompatibility(string text)
    {
        if (System.Text.Ascii.IsValid(text))
        {
            return text;
        }

        StringBuilder? folded = null;
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            string? form = BestFit(rune.Value) ?? AsciiFolding.Fold(rune);
            if (form is not null)
            {
                folded ??= new StringBuilder(text, 0, at, text.Length + 16);
                folded.Append(form);
            }
            else
            {
                folded?.Append(text, at, rune.Utf16SequenceLength);
            }

            at += rune.Utf16SequenceLength;
        }

        return folded?.ToString() ?? text;
    }

    /// <summary>Best-fit conversions that end in path syntax: to Windows code pages, and the yen and won signs of the Japanese and Korean ones.</summary>
    private static string? BestFit(int value) => value switch
    {
        0x2044 or 0x2215 or 0x29F8 => "/",
        0x2216 or 0x29F5 or 0x29F9 or 0xA5 or 0x20A9 => "\\",
        0x3002 or 0xFF61 => ".",
        0x2236 or 0xA789 => ":",
        _ => null,
    };

    private static string DropIgnorable(string text)
    {
        if (System.Text.Ascii.IsValid(text))
        {
            return text;
        }

        StringBuilder? kept = null;
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (TextHazards.IsIgnorable(rune))
            {
                kept ??= new StringBuilder(text, 0, at, text.Length);
            }
            else
            {
                kept?.Append(text, at, rune.Utf16SequenceLength);
            }

            at += rune.Utf16SequenceLength;
        }

        return kept?.ToString() ?? text;
    }

    /// <summary>Removes <c>;...</c> from every segment, as servlet containers do.</summary>
    private string DropParameters(string text)
    {
        if (!text.Contains(';', StringComparison.Ordinal))
        {
            return text;
        }

        var kept = new StringBuilder(text.Length);
        bool dropping = false;
        foreach (char c in text)
        {
            dropping = !PathRules.IsSeparator(c, _flavor) && (dropping || c == ';');
            if (!dropping)
            {
                kept.Append(c);
            }
        }

        return kept.ToString();
    }

    private static string Trim(string text)
    {
        int start = 0;
        int end = text.Length;
        while (start < end && IsTrimmed(text[start]))
        {
            start++;
        }

        while (end > start && IsTrimmed(text[end - 1]))
        {
            end--;
        }

        return end - start == text.Length ? text : text[start..end];

        static bool IsTrimmed(char c) => char.IsWhiteSpace(c) || c < ' ' || Array.IndexOf(Quotes, c) >= 0;
    }

    /// <summary>
    /// Drops blanks and dots at the end of every segment, as Win32 does. What is left of a segment of only these counts as dot-dot where it
    /// had two dots or more: systems differ here, so the worst reading is taken.
    /// </summary>
    private string DropTrailing(string text)
    {
        StringBuilder? kept = null;
        int at = 0;
        while (at <= text.Length)
        {
            int end = at;
            while (end < text.Length && !PathRules.IsSeparator(text[end], _flavor))
            {
                end++;
            }

            ReadOnlySpan<char> segment = text.AsSpan(at, end - at);
            ReadOnlySpan<char> left = DropTrailing(segment);
            if (kept is null && !left.SequenceEqual(segment))
            {
                kept = new StringBuilder(text, 0, at, text.Length);
            }

            if (kept is not null)
            {
                kept.Append(left);
                if (end < text.Length)
                {
                    kept.Append(text[end]);
                }
            }

            at = end + 1;
        }

        return kept?.ToString() ?? text;
    }

    private static ReadOnlySpan<char> DropTrailing(ReadOnlySpan<char> segment)
    {
        int length = segment.Length;
        while (length > 0 && (segment[length - 1] == '.' || char.IsWhiteSpace(segment[length - 1])))
        {
            length--;
        }

        if (length > 0)
        {
            return segment[..length];
        }

        return segment.Count('.') switch
        {
            0 => [],
            1 => ".",
            _ => "..",
        };
    }
}
