namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// The wording heuristics: imitated roles and instruction-like text. They find some attacks and miss others; nothing may rely on their
/// silence.
/// </summary>
internal sealed class Wording
{
    /// <summary>How many words before and after an anchor a rule sees.</summary>
    private const int WordsBefore = 8;
    private const int WordsAfter = 14;

    private static readonly string[] SecretPaths = ["~/.ssh", "id_rsa", "id_ed25519", "id_ecdsa", "~/.aws", "/etc/shadow", "/etc/passwd", ".env ", ".env.", ".ssh/", ".aws/credentials", ".git-credentials", ".netrc", ".pgpass", ".bash_history", "/proc/self/environ"];

    private static readonly WordVocabulary PathWords = new();

    private static readonly WordingElement PathVerbs = new("read|send|pass|include|contain|attach|upload|call|open|forward|exfiltrate|fetch|retrieve|load|provide|contents|content|append", PathWords);

    /// <summary>What is scanned for beside the anchors of rules.</summary>
    private static readonly WordingTrigger[] Fixed =
    [
        .. InstructionRules.Literals.Select(mark => new WordingTrigger(mark, WordingTriggerKind.Mark)),
        .. SecretPaths.Select(path => new WordingTrigger(path, WordingTriggerKind.SecretPath)),
        new("curl ", WordingTriggerKind.Download),
        new("wget ", WordingTriggerKind.Download),
        new("irm ", WordingTriggerKind.Download),
        new("iwr ", WordingTriggerKind.Download),
        new("invoke-webrequest ", WordingTriggerKind.Download),
        new("invoke-restmethod ", WordingTriggerKind.Download),
        .. RoleMarkers.Marks.Select(mark => new WordingTrigger(mark, WordingTriggerKind.RoleMark)),
        new("\"role\"", WordingTriggerKind.Role),
        new("'role'", WordingTriggerKind.Role),
        new("human:", WordingTriggerKind.Human),
        new("user:", WordingTriggerKind.Human),
        new("system:", WordingTriggerKind.Human),
        new("assistant:", WordingTriggerKind.Assistant),
    ];

    private readonly WordVocabulary vocabulary;
    private readonly WordScan words;

    /// <summary>The triggers of each group of the scan.</summary>
    private readonly WordingTrigger[][] triggersByGroup;

    /// <param name="rules">The rules.</param>
    /// <param name="vocabulary">Their words.</param>
    public Wording(IEnumerable<WordingRule> rules, WordVocabulary vocabulary)
    {
        this.vocabulary = vocabulary;
        Triggers =
        [
            .. rules.SelectMany(rule => rule.Anchors.Select(anchor => (anchor, rule)))
                .GroupBy(entry => entry.anchor, entry => entry.rule, StringComparer.OrdinalIgnoreCase)
                .Select(group => new WordingAnchor(group.Key, [.. group]))
                .OrderBy(anchor => anchor.Key, StringComparer.Ordinal)
                .Select(anchor => new WordingTrigger(anchor.Scanned, WordingTriggerKind.Anchor, anchor)),
            .. Fixed,
        ];
        words = new WordScan(Triggers.Select(trigger => (trigger.Key, trigger.Before)));
        triggersByGroup = [.. words.Groups.Select(group => Triggers.Where(trigger => group.Contains(trigger.Key, StringComparer.Ordinal)).ToArray())];
    }

    /// <summary>With <see cref="InstructionRules"/>.</summary>
    public static Wording Default { get; } = new(InstructionRules.All, InstructionRules.Vocabulary);

    /// <summary>What the scan looks for.</summary>
    public WordingTrigger[] Triggers { get; }

    /// <summary>The flags of a text.</summary>
    /// <param name="text">The text, cleaned.</param>
    /// <param name="surface">Where it comes from.</param>
    /// <param name="shape">What it may hold, where that is known.</param>
    public ContentFlags Judge(ReadOnlySpan<char> text, TextSurface surface, TextShape shape = TextShape.Unusual | TextShape.Turn)
    {
        ContentFlags flags = (shape & TextShape.Turn) != 0 && RoleMarkers.HoldsTurn(text) ? ContentFlags.RoleMarker : ContentFlags.None;
        flags |= Find(text, surface, flags);
        if ((shape & TextShape.Unusual) == 0)
        {
            return flags;
        }

        if (text.ContainsAnyExceptInRange('\0', '\u007f') && text.Length <= FoldedText.MaxLength)
        {
            // Look-alike letters and brackets are read as what they look like.
            using var folded = new FoldedText(text);
            if (folded.Differs)
            {
                flags |= RoleMarkers.HoldsTurn(folded.Text) ? ContentFlags.RoleMarker : ContentFlags.None;
                flags |= Find(folded.Text, surface, flags);
            }

            flags |= MixedHost.Find(text) ? ContentFlags.InstructionLike : ContentFlags.None;
        }

        return flags;
    }

    /// <summary>One pass over the words of a text.</summary>
    private ContentFlags Find(ReadOnlySpan<char> text, TextSurface surface, ContentFlags flags)
    {
        const ContentFlags all = ContentFlags.RoleMarker | ContentFlags.InstructionLike;
        bool human = false;
        bool assistant = false;
        int at = words.Next(text, 0, out int group);
        if (at < 0)
        {
            return flags;
        }

        Span<WordChain.Entry> kept = stackalloc WordChain.Entry[WordChain.Kept];
        kept.Clear();
        var chain = new WordChain(text, vocabulary, kept);
        for (; at >= 0 && flags != all; at = words.Next(text, at + 1, out group))
        {
            foreach (WordingTrigger trigger in triggersByGroup[group])
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
                        flags |= Instructs(text, chain, at, trigger.Anchor!, surface) ? ContentFlags.InstructionLike : ContentFlags.None;
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

    private static bool Instructs(ReadOnlySpan<char> text, WordChain chain, int at, WordingAnchor anchor, TextSurface surface)
    {
        int start = at - anchor.KeyOffset;
        if (!anchor.StandsAt(text, start))
        {
            return false;
        }

        Span<WordChain.Word> after = stackalloc WordChain.Word[WordsAfter];
        Span<WordChain.Word> before = stackalloc WordChain.Word[WordsBefore];
        int sentenceEnd = start + anchor.Phrase.Length;
        int afterCount = -1;
        int beforeCount = -1;
        foreach (WordingRule rule in anchor.Rules)
        {
            if (rule.After.Length > 0)
            {
                afterCount = afterCount < 0 ? chain.After(start + anchor.Phrase.Length, after, out sentenceEnd) : afterCount;
                if (!rule.Follows(after[..afterCount]))
                {
                    continue;
                }
            }

            if (rule.Before.Length > 0)
            {
                beforeCount = beforeCount < 0 ? chain.Before(start, before) : beforeCount;
                if (!rule.Precedes(before[^beforeCount..]))
                {
                    continue;
                }
            }

            if (!(surface is TextSurface.Result or TextSurface.Resource && IsQuoted(text, start, sentenceEnd)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A phrase in quotation marks inside other text is spoken about: documents on this very subject are ordinary results.</summary>
    private static bool IsQuoted(ReadOnlySpan<char> text, int at, int end)
    {
        if (at == 0 || text[at - 1] is not ('"' or '\'' or '`' or '\u201c' or '\u2018'))
        {
            return false;
        }

        char close = text[at - 1] switch { '\u201c' => '\u201d', '\u2018' => '\u2019', char same => same };
        int limit = Math.Min(text.Length, end + WordChain.Reach);
        int quote = text[at..limit].IndexOf(close);
        bool prose = at > 1 && text[at - 2] == ' ';
        return prose && quote > 0 && at + quote + 1 < text.Length;
    }

    /// <summary>A verb that would move the content of a key or credentials file, within the words before its path.</summary>
    private static bool AsksForPath(ReadOnlySpan<char> text, int at)
    {
        Span<WordChain.Word> before = stackalloc WordChain.Word[WordsBefore];
        int count = new WordChain(text, PathWords, []).Before(at, before);
        foreach (WordChain.Word word in before[^count..])
        {
            if (PathVerbs.Takes(word.Number, word.Stems))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A download whose output goes straight into a shell.</summary>
    private static bool PipesToShell(ReadOnlySpan<char> text, int at)
    {
        ReadOnlySpan<char> line = text.Slice(at, Math.Min(2 * WordChain.Reach, text.Length - at));
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
