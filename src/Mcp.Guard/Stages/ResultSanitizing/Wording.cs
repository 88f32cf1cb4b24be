using System.Collections.Frozen;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// The wording heuristics: imitated roles and instruction-like text. They find some attacks and miss others; nothing may rely on their
/// silence.
/// </summary>
internal static class Wording
{
    /// <summary>How many words before and after an anchor a rule sees.</summary>
    private const int WordsBefore = 8;
    private const int WordsAfter = 14;

    /// <summary>How many characters around an anchor the words are taken from.</summary>
    private const int Reach = 160;

    private static readonly string[] SecretPaths = ["~/.ssh", "id_rsa", "id_ed25519", "~/.aws", "/etc/shadow", "/etc/passwd", ".env ", ".env.", ".ssh/", ".aws/credentials", ".git-credentials"];

    private static readonly WordingElement PathVerbs = new("read|send|pass|include|contain|attach|upload|call|open|forward|exfiltrate|fetch|retrieve|load|provide|contents|content|append");

    private static readonly FrozenDictionary<string, WordingRule[]> RulesByAnchor = InstructionRules.All
        .SelectMany(rule => rule.Anchors.Select(anchor => (anchor, rule)))
        .GroupBy(entry => entry.anchor, entry => entry.rule, StringComparer.OrdinalIgnoreCase)
        .ToFrozenDictionary(group => group.Key, group => group.ToArray(), StringComparer.OrdinalIgnoreCase);

    /// <summary>The words that are scanned for, each with the anchors that it is the longest word of.</summary>
    private static readonly WordingAnchor[] Keys = [.. RulesByAnchor.Select(entry => new WordingAnchor(entry.Key, entry.Value)).OrderBy(anchor => anchor.Key, StringComparer.Ordinal)];

    /// <summary>The anchors whose key starts with each ASCII character.</summary>
    private static readonly WordingAnchor[][] AnchorsByStart = [.. Enumerable.Range(0, 128).Select(start => Keys.Where(anchor => anchor.Key[0] == start).ToArray())];

    private static readonly PhraseScan Scan = new(
        Keys.Select(anchor => anchor.Key).Concat(InstructionRules.Literals).Concat(SecretPaths).Concat(["curl ", "wget "]), ignoreCase: true);

    public static ContentFlags Judge(ReadOnlySpan<char> text, TextSurface surface)
    {
        ContentFlags flags = RoleMarkers.Find(text) ? ContentFlags.RoleMarker : ContentFlags.None;
        if (Instructs(text, surface))
        {
            flags |= ContentFlags.InstructionLike;
        }

        if (text.ContainsAnyExceptInRange('\0', '\u007f') && text.Length <= FoldedText.MaxLength)
        {
            // Look-alike letters and brackets are read as what they look like.
            using var folded = new FoldedText(text);
            if (folded.Differs)
            {
                flags |= RoleMarkers.Find(folded.Text) ? ContentFlags.RoleMarker : ContentFlags.None;
                flags |= Instructs(folded.Text, surface) ? ContentFlags.InstructionLike : ContentFlags.None;
            }

            flags |= MixedHost.Find(text) ? ContentFlags.InstructionLike : ContentFlags.None;
        }

        return flags;
    }

    private static bool Instructs(ReadOnlySpan<char> text, TextSurface surface)
    {
        for (int at = Scan.Next(text, 0); at >= 0; at = Scan.Next(text, at + 1))
        {
            if (InstructsAt(text, at, surface))
            {
                return true;
            }
        }

        return false;
    }

    private static bool InstructsAt(ReadOnlySpan<char> text, int at, TextSurface surface)
    {
        char first = char.ToLowerInvariant(text[at]);
        switch (first)
        {
            case '<' or '{' or '[':
                return true;
            case '~' or '/' or '.':
                return AsksForPath(text, at);
            default:
                break;
        }

        if (at > 0 && char.IsLetterOrDigit(text[at - 1]))
        {
            return false;
        }

        if (first is 'c' or 'w' && PipesToShell(text, at))
        {
            return true;
        }

        if (first is 'i' or 'm' && AsksForPath(text, at))
        {
            return true;
        }

        WordingAnchor[] anchors = first < AnchorsByStart.Length ? AnchorsByStart[first] : [];
        Span<Range> after = stackalloc Range[WordsAfter];
        Span<Range> before = stackalloc Range[WordsBefore];
        foreach (WordingAnchor anchor in anchors)
        {
            int start = at - anchor.KeyOffset;
            if (!anchor.StandsAt(text, start))
            {
                continue;
            }

            int afterCount = ReadWords(text, start + anchor.Phrase.Length, after, out int sentenceEnd);
            int beforeCount = ReadWordsBefore(text, start, before);
            foreach (WordingRule rule in anchor.Rules)
            {
                if (rule.Matches(text, before[^beforeCount..], after[..afterCount]) && !(surface is TextSurface.Result or TextSurface.Resource && IsQuoted(text, start, sentenceEnd)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>The words from an index to the end of the sentence.</summary>
    private static int ReadWords(ReadOnlySpan<char> text, int at, Span<Range> words, out int end)
    {
        int limit = Math.Min(text.Length, at + Reach);
        int count = 0;
        while (at < limit && count < words.Length)
        {
            char c = text[at];
            if (IsWord(c))
            {
                int start = at;
                while (at < limit && IsWord(text[at]))
                {
                    at++;
                }

                words[count++] = start..at;
                continue;
            }

            if (EndsSentence(text, at))
            {
                break;
            }

            at++;
        }

        end = at;
        return count;
    }

    /// <summary>The last words before an index in its sentence, in reading order at the end of the span.</summary>
    private static int ReadWordsBefore(ReadOnlySpan<char> text, int at, Span<Range> words)
    {
        int limit = Math.Max(0, at - Reach);
        int count = 0;
        while (at > limit && count < words.Length)
        {
            char c = text[at - 1];
            if (IsWord(c))
            {
                int end = at;
                while (at > limit && IsWord(text[at - 1]))
                {
                    at--;
                }

                words[^++count] = at..end;
                continue;
            }

            if (EndsSentence(text, at - 1))
            {
                break;
            }

            at--;
        }

        return count;
    }

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || c is '\'' or '-' or '_' or '\u2019';

    private static bool EndsSentence(ReadOnlySpan<char> text, int at) =>
        text[at] is '!' or '?' || (text[at] == '.' && (at + 1 == text.Length || text[at + 1] is ' ' or '\n' or '\r' or '"'))
        || (text[at] == '\n' && at + 1 < text.Length && text[at + 1] is '\n' or '-' or '*' or '#');

    /// <summary>A phrase in quotation marks inside other text is spoken about: documents on this very subject are ordinary results.</summary>
    private static bool IsQuoted(ReadOnlySpan<char> text, int at, int end)
    {
        if (at == 0 || text[at - 1] is not ('"' or '\'' or '`' or '\u201c' or '\u2018'))
        {
            return false;
        }

        char close = text[at - 1] switch { '\u201c' => '\u201d', '\u2018' => '\u2019', char same => same };
        int limit = Math.Min(text.Length, end + Reach);
        int quote = text[at..limit].IndexOf(close);
        bool prose = at > 1 && text[at - 2] == ' ';
        return prose && quote > 0 && at + quote + 1 < text.Length;
    }

    /// <summary>A verb that would move the content of a key or credentials file, within the words before its path.</summary>
    private static bool AsksForPath(ReadOnlySpan<char> text, int at)
    {
        bool path = false;
        foreach (string secret in SecretPaths)
        {
            path |= text[at..].StartsWith(secret, StringComparison.OrdinalIgnoreCase);
        }

        if (!path)
        {
            return false;
        }

        Span<Range> before = stackalloc Range[WordsBefore];
        int count = ReadWordsBefore(text, at, before);
        foreach (Range word in before[^count..])
        {
            if (PathVerbs.Takes(text[word]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A download whose output goes straight into a shell.</summary>
    private static bool PipesToShell(ReadOnlySpan<char> text, int at)
    {
        if (!text[at..].StartsWith("curl ", StringComparison.OrdinalIgnoreCase) && !text[at..].StartsWith("wget ", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        ReadOnlySpan<char> line = text.Slice(at, Math.Min(2 * Reach, text.Length - at));
        int lineEnd = line.IndexOf('\n');
        line = lineEnd < 0 ? line : line[..lineEnd];
        int pipe = line.IndexOf('|');
        ReadOnlySpan<char> command = pipe < 0 ? default : line[(pipe + 1)..].Trim();
        if (command.StartsWith("sudo ", StringComparison.Ordinal))
        {
            command = command[5..].TrimStart();
        }

        int word = 0;
        while (word < command.Length && (char.IsAsciiLetterOrDigit(command[word]) || command[word] is '/' or '.'))
        {
            word++;
        }

        ReadOnlySpan<char> program = command[..word];
        program = program[(program.LastIndexOf('/') + 1)..];
        return program is "sh" or "bash" or "zsh" or "dash" or "ksh" or "fish" or "python" or "python3" or "node" or "perl" or "ruby" or "pwsh" or "iex";
    }
}
