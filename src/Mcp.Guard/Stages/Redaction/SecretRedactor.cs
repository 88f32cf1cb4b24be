using System.Buffers;
using System.Text;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// Takes credentials out of texts and JSON values before they are recorded, shown or hashed: contract of the secret corpus. Linear,
/// idempotent, never throws; a text without secrets comes back as the same instance and costs no allocation. What is taken out is
/// replaced by <c>[redacted:family]</c>.
/// </summary>
/// <param name="contacts">Whether mail addresses and telephone numbers go too.</param>
internal sealed class SecretRedactor(bool contacts = false)
{
    /// <summary>Passes over one text until nothing changes; three are enough for every text known, the bound keeps an unknown one linear.</summary>
    private const int MaxRounds = 8;

    /// <summary>Half a secret this near a cut may be too short to be told from a word: longer than the prefix and the least body of every token.</summary>
    private const int MaxHalf = 128;

    /// <summary>How every replacement begins.</summary>
    internal const string Opening = "[redacted:";

    private static readonly SearchValues<char> FamilyCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>The longest replacement.</summary>
    private const int MaxReplacement = 40;

    /// <summary>Mail addresses and telephone numbers stay.</summary>
    public static SecretRedactor Default { get; } = new();

    /// <summary>The text without its secrets; the same instance where it holds none.</summary>
    public string Redact(string text) => Redact(text.AsSpan()) ?? text;

    /// <summary>
    /// The beginning of a text without its secrets; the same instance where the text is no longer than <paramref name="longest"/> and holds none. Of a longer one the last
    /// characters before the cut go too: they may be half a secret.
    /// </summary>
    public string RedactBeginning(string text, int longest) => text.Length <= longest ? Redact(text) : BeforeCut(Redact(text[..longest]));

    /// <summary>What may be shown of a text that was cut before it was redacted.</summary>
    public static string BeforeCut(string redacted) => redacted[..Math.Max(0, redacted.Length - MaxHalf)];

    /// <summary>The same for a text that is not a string yet. Null: nothing to redact.</summary>
    public string? Redact(ReadOnlySpan<char> text)
    {
        SecretMatches? matches = null;
        return Redact(text, ref matches);
    }

    /// <summary>What stands where a secret of this family was.</summary>
    public static string Replacement(string family) => $"[redacted:{family}]";

    /// <summary>
    /// Redacts one text of a document. <paramref name="document"/> gathers the values found under sensitive names; those already in it are
    /// redacted here too.
    /// </summary>
    internal string? Redact(ReadOnlySpan<char> text, ref SecretMatches? document)
    {
        string? redacted = RedactOnce(text, ref document);
        for (int round = 1; redacted is not null && round < MaxRounds; round++)
        {
            // What is left may read differently beside the replacements: an option that lost its value, a quote that lost its mate.
            string? again = RedactOnce(redacted, ref document);
            if (again is null)
            {
                break;
            }

            redacted = again;
        }

        return redacted;
    }

    private string? RedactOnce(ReadOnlySpan<char> text, ref SecretMatches? document)
    {
        var projection = new VisibleProjection(text);
        try
        {
            ReadOnlySpan<char> visible = projection.Text;
            document?.NextText();
            Find(visible, ref document);
            if (document is not null)
            {
                FindValues(visible, document);
            }

            return document is { Count: > 0 } ? Replace(text, document.Merged(), projection, default) : RedactEscaped(text, projection, ref document);
        }
        finally
        {
            projection.Dispose();
        }
    }

    /// <summary>What shows only where the escapes of a text are read: <c>first\ntoken=...</c>, <c>\u0022token\u0022</c>.</summary>
    private string? RedactEscaped(ReadOnlySpan<char> text, VisibleProjection projection, ref SecretMatches? document)
    {
        var escaped = new EscapeProjection(projection.Text);
        try
        {
            if (!escaped.Differs)
            {
                return null;
            }

            Find(escaped.Text, ref document);
            if (document is null)
            {
                return null;
            }

            FindValues(escaped.Text, document);
            return document.Count == 0 ? null : Replace(text, document.Merged(), projection, escaped);
        }
        finally
        {
            escaped.Dispose();
        }
    }

    /// <summary>The value of a cookie field: only the values of its pairs go.</summary>
    internal string? RedactCookies(ReadOnlySpan<char> text, SecretMatches document)
    {
        var projection = new VisibleProjection(text);
        try
        {
            document.NextText();
            SecretMatches? matches = document;
            Find(projection.Text, ref matches);
            KeyedValueFinder.FindCookies(projection.Text, 0, projection.Text.Length, document);
            FindValues(projection.Text, document);
            return document.Count == 0 ? null : Replace(text, document.Merged(), projection, default);
        }
        finally
        {
            projection.Dispose();
        }
    }

    /// <summary>Gathers the values of sensitive names in a text, without redacting.</summary>
    internal void Gather(ReadOnlySpan<char> text, ref SecretMatches? document)
    {
        var projection = new VisibleProjection(text);
        try
        {
            Find(projection.Text, ref document);
            GatherEscaped(projection.Text, ref document);
        }
        finally
        {
            projection.Dispose();
        }
    }

    private void GatherEscaped(ReadOnlySpan<char> text, ref SecretMatches? document)
    {
        var escaped = new EscapeProjection(text);
        try
        {
            if (escaped.Differs)
            {
                Find(escaped.Text, ref document);
            }
        }
        finally
        {
            escaped.Dispose();
        }
    }

    private void Find(ReadOnlySpan<char> text, ref SecretMatches? matches)
    {
        TokenFinder.Find(text, ref matches);
        KeyedValueFinder.Find(text, ref matches);
        PersonalNumberFinder.Find(text, ref matches);
        if (contacts)
        {
            ContactFinder.Find(text, ref matches);
        }
    }

    /// <summary>Every place of a value that was found under a sensitive name.</summary>
    private static void FindValues(ReadOnlySpan<char> text, SecretMatches document)
    {
        if (document.ValueSearch is not { } search)
        {
            return;
        }

        int at = 0;
        while (at < text.Length)
        {
            int found = text[at..].IndexOfAny(search);
            if (found < 0)
            {
                return;
            }

            int start = at + found;
            int length = document.ValueAt(text[start..]);
            if (length > 0 && !IsReplacement(text, start, start + length))
            {
                document.Add(start, start + length, "repeated");
            }

            at = start + Math.Max(1, length);
        }
    }

    /// <summary>Whether a stretch is part of what a redactor wrote: "repeated" may be a password too.</summary>
    private static bool IsReplacement(ReadOnlySpan<char> text, int start, int end)
    {
        int before = Math.Max(0, start - MaxReplacement);
        int open = text[before..start].LastIndexOf('[');
        ReadOnlySpan<char> rest = open < 0 ? [] : text[(before + open)..Math.Min(text.Length, before + open + MaxReplacement)];
        int close = rest.IndexOf(']');
        return rest.StartsWith(Opening, StringComparison.Ordinal) && close >= end - 1 - before - open && !rest[Opening.Length..close].ContainsAnyExcept(FamilyCharacters);
    }

    private static string Replace(ReadOnlySpan<char> text, List<SecretMatch> matches, VisibleProjection projection, EscapeProjection escaped)
    {
        var redacted = new StringBuilder(text.Length);
        int taken = 0;
        foreach (SecretMatch match in matches)
        {
            (int start, int end) = escaped.InSource(match.Start, match.End);
            (start, end) = projection.InSource(start, end);
            redacted.Append(text[taken..start]).Append(Opening).Append(match.Family).Append(']');
            taken = end;
        }

        return redacted.Append(text[taken..]).ToString();
    }
}
