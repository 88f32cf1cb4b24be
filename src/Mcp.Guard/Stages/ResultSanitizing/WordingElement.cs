namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>One element of a <see cref="WordingRule"/>: a choice of words and stems, or a gap.</summary>
internal sealed class WordingElement
{
    private readonly WordVocabulary vocabulary;
    private readonly ulong[] words;
    private readonly uint stems;

    /// <param name="part">The element as written in the pattern.</param>
    /// <param name="vocabulary">Where its words are numbered.</param>
    public WordingElement(string part, WordVocabulary vocabulary)
    {
        this.vocabulary = vocabulary;
        Gap = part[0] == '*' ? part[1] - '0' : 0;
        Optional = part[0] == '?';
        Choices = Gap > 0 ? [] : part.TrimStart('?').Split('|');
        int[] numbers = [.. Choices.Where(word => word[^1] != '~').Select(vocabulary.NumberOf)];
        words = new ulong[numbers.Length == 0 ? 0 : (numbers.Max() / 64) + 1];
        foreach (int number in numbers)
        {
            words[number / 64] |= 1UL << (number % 64);
        }

        foreach (string stem in Choices.Where(word => word[^1] == '~'))
        {
            stems |= vocabulary.BitOf(stem[..^1]);
        }
    }

    /// <summary>The words as written, a stem with its mark.</summary>
    public IReadOnlyList<string> Choices { get; }

    /// <summary>How many words may be skipped; 0 for an element that takes a word.</summary>
    public int Gap { get; }

    public bool Optional { get; }

    public bool Takes(ReadOnlySpan<char> word) => Takes(vocabulary.Read(word, out uint starts), starts);

    /// <summary>The same for a word that was looked up.</summary>
    public bool Takes(int number, uint starts) =>
        (starts & stems) != 0 || ((uint)(number >> 6) < (uint)words.Length && (words[number >> 6] >> (number & 63) & 1) != 0);
}
