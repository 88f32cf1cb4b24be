namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// A pattern over the words of one sentence. <c>a|b</c> is one of some words, <c>?a|b</c> may be absent, <c>*3</c> is a gap of up to three
/// words, a trailing <c>~</c> takes any ending. The first element is the anchor that a scan looks for; an underscore in it is a blank.
/// What stands before <c>&lt;&lt;</c> has to occur, in order, in the words before the anchor.
/// </summary>
internal sealed class WordingRule
{
    private readonly WordingElement[] before;
    private readonly WordingElement[] after;

    /// <param name="pattern">The pattern.</param>
    public WordingRule(string pattern)
    {
        int mark = pattern.IndexOf(" << ", StringComparison.Ordinal);
        before = mark < 0 ? [] : [.. pattern[..mark].Split(' ').Select(part => new WordingElement(part))];
        string[] parts = (mark < 0 ? pattern : pattern[(mark + 4)..]).Split(' ');
        Anchors = parts[0].Replace('_', ' ').Split('|');
        after = [.. parts.Skip(1).Select(part => new WordingElement(part))];
    }

    public IReadOnlyList<string> Anchors { get; }

    /// <summary>Whether the words around an anchor complete the pattern: those before it in reading order, those after it.</summary>
    public bool Matches(ReadOnlySpan<char> text, ReadOnlySpan<Range> wordsBefore, ReadOnlySpan<Range> wordsAfter) =>
        Follows(text, wordsAfter, 0, 0) && Precedes(text, wordsBefore);

    private bool Precedes(ReadOnlySpan<char> text, ReadOnlySpan<Range> words)
    {
        int element = 0;
        for (int word = 0; word < words.Length && element < before.Length; word++)
        {
            if (before[element].Takes(text[words[word]]))
            {
                element++;
            }
        }

        return element == before.Length;
    }

    private bool Follows(ReadOnlySpan<char> text, ReadOnlySpan<Range> words, int word, int element)
    {
        if (element == after.Length)
        {
            return true;
        }

        WordingElement wanted = after[element];
        if (wanted.Gap > 0)
        {
            for (int skipped = 0; skipped <= wanted.Gap && word + skipped <= words.Length; skipped++)
            {
                if (Follows(text, words, word + skipped, element + 1))
                {
                    return true;
                }
            }

            return false;
        }

        return (word < words.Length && wanted.Takes(text[words[word]]) && Follows(text, words, word + 1, element + 1))
            || (wanted.Optional && Follows(text, words, word, element + 1));
    }
}
