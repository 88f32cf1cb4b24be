namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// A pattern over the words of one sentence. <c>a|b</c> is one of some words, <c>?a|b</c> may be absent, <c>*3</c> is a gap of up to three
/// words, a trailing <c>~</c> takes any ending. The first element is the anchor that a scan looks for; an underscore in it is a blank.
/// What stands before <c>&lt;&lt;</c> has to occur, in order, in the words before the anchor.
/// </summary>
internal sealed class WordingRule
{
    /// <param name="pattern">The pattern.</param>
    /// <param name="vocabulary">Where its words are numbered.</param>
    public WordingRule(string pattern, WordVocabulary vocabulary)
    {
        Pattern = pattern;
        int mark = pattern.IndexOf(" << ", StringComparison.Ordinal);
        Before = mark < 0 ? [] : [.. pattern[..mark].Split(' ').Select(part => new WordingElement(part, vocabulary))];
        string[] parts = (mark < 0 ? pattern : pattern[(mark + 4)..]).Split(' ');
        Anchors = parts[0].Replace('_', ' ').Split('|');
        After = [.. parts.Skip(1).Select(part => new WordingElement(part, vocabulary))];
    }

    public string Pattern { get; }

    public IReadOnlyList<string> Anchors { get; }

    /// <summary>What has to stand before the anchor, in order, anything between.</summary>
    public WordingElement[] Before { get; }

    /// <summary>What has to stand behind the anchor, one after another.</summary>
    public WordingElement[] After { get; }

    /// <summary>Whether the words before an anchor, in reading order, are those that the pattern wants.</summary>
    public bool Precedes(ReadOnlySpan<WordChain.Word> words)
    {
        int element = 0;
        for (int word = 0; word < words.Length && element < Before.Length; word++)
        {
            if (Before[element].Takes(words[word].Number, words[word].Stems))
            {
                element++;
            }
        }

        return element == Before.Length;
    }

    /// <summary>Whether the words behind an anchor are those that the pattern wants.</summary>
    public bool Follows(ReadOnlySpan<WordChain.Word> words) => Follows(words, 0, 0);

    private bool Follows(ReadOnlySpan<WordChain.Word> words, int word, int element)
    {
        if (element == After.Length)
        {
            return true;
        }

        WordingElement wanted = After[element];
        if (wanted.Gap > 0)
        {
            for (int skipped = 0; skipped <= wanted.Gap && word + skipped <= words.Length; skipped++)
            {
                if (Follows(words, word + skipped, element + 1))
                {
                    return true;
                }
            }

            return false;
        }

        return (word < words.Length && wanted.Takes(words[word].Number, words[word].Stems) && Follows(words, word + 1, element + 1))
            || (wanted.Optional && Follows(words, word, element + 1));
    }
}
