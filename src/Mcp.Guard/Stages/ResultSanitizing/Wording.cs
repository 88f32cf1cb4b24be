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

    /// <summary>Everything that is scanned for.</summary>
    private static readonly WordingTrigger[] Triggers =
    [
        .. RulesByAnchor.Select(entry => new WordingAnchor(entry.Key, entry.Value)).OrderBy(anchor => anchor.Key, StringComparer.Ordinal)
            .Select(anchor => new WordingTrigger(anchor.Scanned, WordingTriggerKind.Anchor, anchor)),
        .. InstructionRules.Literals.Select(mark => new WordingTrigger(mark, WordingTriggerKind.Mark)),
        .. SecretPaths.Select(path => new WordingTrigger(path, WordingTriggerKind.SecretPath)),
        new("curl ", WordingTriggerKind.Download),
        new("wget ", WordingTriggerKind.Download),
        .. RoleMarkers.Marks.Select(mark => new WordingTrigger(mark, WordingTriggerKind.RoleMark)),
        new("\"role\"", WordingTriggerKind.Role),
        new("human:", WordingTriggerKind.Human),
        new("user:", WordingTriggerKind.Human),
        new("\nsystem:", WordingTriggerKind.Human),
        new("assistant:", WordingTriggerKind.Assistant),
    ];

    private static readonly WordScan Words = new(Triggers.Select(trigger => trigger.Key));

    /// <summary>The triggers of each group of <see cref="Words"/>.</summary>
    private static readonly WordingTrigger[][] TriggersByGroup =
        [.. Words.Groups.Select(group => Triggers.Where(trigger => group.Contains(trigger.Key, StringComparer.Ordinal)).ToArray())];

    public static ContentFlags Judge(ReadOnlySpan<char> text, TextSurface surface)
    {
        ContentFlags flags = Find(text, surface);
        if (text.ContainsAnyExceptInRange('\0', '\u007f') && text.Length <= FoldedText.MaxLength)
        {
            // Look-alike letters and brackets are read as what they look like.
            using var folded = new FoldedText(text);
            if (folded.Differs)
            {
                flags |= Find(folded.Text, surface);
            }

            flags |= MixedHost.Find(text) ? ContentFlags.InstructionLike : ContentFlags.None;
        }

        return flags;
    }

    /// <summary>One pass over the words of a text.</summary>
    private static ContentFlags Find(ReadOnlySpan<char> text, TextSurface surface)
    {
        const ContentFlags all = ContentFlags.RoleMarker | ContentFlags.InstructionLike;
        ContentFlags flags = RoleMarkers.HoldsTurn(text) ? ContentFlags.RoleMarker : ContentFlags.None;
        bool human = false;
        bool assistant = false;
        for (int at = Words.Next(text, 0, out int group); at >= 0 && flags != all; at = Words.Next(text, at + 1, out group))
        {
            foreach (WordingTrigger trigger in TriggersByGroup[group])
            {
                int start = trigger.StartAt(text, at);
                if (start < 0)
                {
                    continue;
                }

                switch (trigger.Kind)
                {
                    case WordingTriggerKind.Mark:
                        flags |= ContentFlags.InstructionLike;
                        break;
                    case WordingTriggerKind.SecretPath:
                        flags |= AsksForPath(text, start) ? ContentFlags.InstructionLike : ContentFlags.None;
                        break;
                    case WordingTriggerKind.Download:
                        flags |= PipesToShell(text, start) ? ContentFlags.InstructionLike : ContentFlags.None;
                        break;
                    case WordingTriggerKind.RoleMark:
                        flags |= ContentFlags.RoleMarker;
                        break;
                    case WordingTriggerKind.Role:
                        flags |= RoleMarkers.IsSystemRole(text[start..]) ? ContentFlags.RoleMarker : ContentFlags.None;
                        break;
                    case WordingTriggerKind.Human when RoleMarkers.StartsLine(text, at):
                        human = true;
                        flags |= RoleMarkers.Agrees(text[at..]) ? ContentFlags.RoleMarker : ContentFlags.None;
                        break;
                    case WordingTriggerKind.Assistant when RoleMarkers.StartsLine(text, at):
                        assistant = true;
                        break;
                    case WordingTriggerKind.Anchor when (flags & ContentFlags.InstructionLike) == 0:
                        flags |= Instructs(text, at, trigger.Anchor!, surface) ? ContentFlags.InstructionLike : ContentFlags.None;
                        break;
                    default:
                        break;
                }
            }

            // One speaker is a table or a log; both are a conversation.
            flags |= human && assistant ? ContentFlags.RoleMarker : ContentFlags.None;
        }

        return flags;
    }

    private static bool Instructs(ReadOnlySpan<char> text, int at, WordingAnchor anchor, TextSurface surface)
    {
        int start = at - anchor.KeyOffset;
        if ((at > 0 && char.IsLetterOrDigit(text[at - 1])) || !anchor.StandsAt(text, start))
        {
            return false;
        }

        Span<Range> after = stackalloc Range[WordsAfter];
        Span<Range> before = stackalloc Range[WordsBefore];
        int afterCount = ReadWords(text, start + anchor.Phrase.Length, after, out int sentenceEnd);
        int beforeCount = ReadWordsBefore(text, start, before);
        foreach (WordingRule rule in anchor.Rules)
        {
            if (rule.Matches(text, before[^beforeCount..], after[..afterCount]) && !(surface is TextSurface.Result or TextSurface.Resource && IsQuoted(text, start, sentenceEnd)))
            {
                return true;
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
