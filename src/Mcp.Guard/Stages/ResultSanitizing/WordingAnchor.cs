namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// A phrase that rules start from, with its longest word: the scan looks for that word, because short first words ("to", "not", "in")
/// stand everywhere.
/// </summary>
internal sealed class WordingAnchor
{
    /// <summary>The end of "don't" and its kind: no word starts with it, so no scan for words finds it.</summary>
    private const string NotEnding = "n't";

    private static readonly string[] Common = ["you", "are", "from", "this", "your", "the", "for", "not", "all", "any", "with", "have", "has", "were", "every", "these", "following", NotEnding];

    private readonly bool anyEnding;

    /// <param name="phrase">The words, one blank between them; a trailing <c>~</c> takes any ending of the last.</param>
    /// <param name="rules">The rules that start from them.</param>
    public WordingAnchor(string phrase, WordingRule[] rules)
    {
        anyEnding = phrase[^1] == '~';
        phrase = anyEnding ? phrase[..^1] : phrase;
        Phrase = phrase;
        Rules = rules;
        Key = phrase.Split(' ').MaxBy(word => Common.Contains(word) ? 0 : word.Length)!;
        KeyOffset = phrase.IndexOf(Key, StringComparison.Ordinal);
    }

    public string Phrase { get; }

    public WordingRule[] Rules { get; }

    public string Key { get; }

    /// <summary>The phrase from its key on: what a scan looks for.</summary>
    public string Scanned => Phrase[KeyOffset..];

    /// <summary>Where the key stands in the phrase.</summary>
    public int KeyOffset { get; }

    /// <summary>Whether the whole phrase stands at an index, between word boundaries ("n't" follows its verb).</summary>
    public bool StandsAt(ReadOnlySpan<char> text, int start)
    {
        int end = start + Phrase.Length;
        return start >= 0 && end <= text.Length
            && text[start..end].Equals(Phrase, StringComparison.OrdinalIgnoreCase)
            && (anyEnding || end == text.Length || !char.IsLetterOrDigit(text[end]))
            && (start == 0 || !char.IsLetterOrDigit(text[start - 1]) || Phrase.StartsWith(NotEnding, StringComparison.Ordinal));
    }
}
