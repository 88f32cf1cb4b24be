using System.Collections.Frozen;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>One element of a <see cref="WordingRule"/>: a choice of words and stems, or a gap.</summary>
internal sealed class WordingElement
{
    private const int MaxWord = 32;

    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> words;
    private readonly string[] stems;

    /// <param name="part">The element as written in the pattern.</param>
    public WordingElement(string part)
    {
        Gap = part[0] == '*' ? part[1] - '0' : 0;
        Optional = part[0] == '?';
        string[] all = Gap > 0 ? [] : part.TrimStart('?').Split('|');
        words = all.Where(word => word[^1] != '~').ToFrozenSet(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();
        stems = [.. all.Where(word => word[^1] == '~').Select(word => word[..^1])];
    }

    /// <summary>How many words may be skipped; 0 for an element that takes a word.</summary>
    public int Gap { get; }

    public bool Optional { get; }

    public bool Takes(ReadOnlySpan<char> word)
    {
        if (word.Length > MaxWord)
        {
            return false;
        }

        if (words.Contains(word))
        {
            return true;
        }

        foreach (string stem in stems)
        {
            if (word.StartsWith(stem, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
