namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>A phrase that the wording scan looks for: from its first letter on it is the key of a <see cref="WordScan"/>, what stands before that is compared.</summary>
internal sealed class WordingTrigger
{
    private readonly string _before;

    /// <param name="phrase">ASCII in lower case, with a letter in it.</param>
    /// <param name="kind">What it leads to.</param>
    /// <param name="anchor">The anchor that it is the key of.</param>
    public WordingTrigger(string phrase, WordingTriggerKind kind, WordingAnchor? anchor = null)
    {
        int letter = phrase.AsSpan().IndexOfAnyInRange('a', 'z');
        _before = phrase[..letter];
        Key = phrase[letter..];
        Kind = kind;
        Anchor = anchor;
    }

    /// <summary>What the scan looks for.</summary>
    public string Key { get; }

    /// <summary>What stands before the key.</summary>
    public string Before => Anchor is { } anchor ? anchor.Phrase[..anchor.KeyOffset] : _before;

    public WordingTriggerKind Kind { get; }

    public WordingAnchor? Anchor { get; }

    /// <summary>Where the phrase starts when its key stands at <paramref name="at"/>; -1 where it does not stand there.</summary>
    public int StartAt(ReadOnlySpan<char> text, int at) =>
        at >= _before.Length
        && text[(at - _before.Length)..at].SequenceEqual(_before)
        && text[at..].StartsWith(Key, StringComparison.OrdinalIgnoreCase)
            ? at - _before.Length
            : -1;
}
