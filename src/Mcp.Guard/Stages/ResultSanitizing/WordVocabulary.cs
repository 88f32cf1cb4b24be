using System.Numerics;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Every word and stem that the elements of some rules name, with a number each: a word of a text is looked up once, and each element then tests one bit.
/// Filled while the rules are made, read afterwards.
/// </summary>
internal sealed class WordVocabulary
{
    /// <summary>No rule has a longer word.</summary>
    public const int MaxWord = 32;

    private readonly Dictionary<string, int> _numbers = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly List<string> _stems = [];

    public WordVocabulary()
    {
        _lookup = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The number of a whole word, a new one where it has none.</summary>
    public int NumberOf(string word)
    {
        if (!_numbers.TryGetValue(word, out int number))
        {
            _numbers[word] = number = _numbers.Count;
        }

        return number;
    }

    /// <summary>The bit of a stem.</summary>
    public uint BitOf(string stem)
    {
        int index = _stems.IndexOf(stem);
        if (index < 0)
        {
            index = _stems.Count;
            _stems.Add(stem);
        }

        return index < 32 ? 1u << index : throw new ArgumentException("rules have 32 stems at most", nameof(stem));
    }

    /// <summary>What the rules know of a word of a text.</summary>
    /// <param name="word">The word.</param>
    /// <param name="stems">The bits of the stems that it starts with.</param>
    /// <returns>Its number, or -1.</returns>
    public int Read(ReadOnlySpan<char> word, out uint stems)
    {
        stems = 0;
        if (word.Length is 0 or > MaxWord)
        {
            return -1;
        }

        for (int i = 0; i < _stems.Count; i++)
        {
            // The first letter spares the comparison nearly always.
            string stem = _stems[i];
            if (((word[0] ^ stem[0]) & ~0x20) == 0 && word.StartsWith(stem, StringComparison.OrdinalIgnoreCase))
            {
                stems |= 1u << i;
            }
        }

        return _lookup.TryGetValue(word, out int number) ? number : -1;
    }
}
