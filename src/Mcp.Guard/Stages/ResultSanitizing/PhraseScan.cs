namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Finds the next place where one of many short ASCII phrases stands. A table of three-character prefixes (case folded, 6 bits each)
/// sorts out nearly every position of ordinary text in one load; only what passes is compared. .NET's search for many strings slows down
/// once some hundred phrases share their first letters with ordinary words.
/// </summary>
internal sealed class PhraseScan
{
    private const int Mask = (1 << 18) - 1;

    private readonly ulong[] prefixes = new ulong[(Mask + 1) / 64];
    private readonly Dictionary<int, string[]> phrasesByPrefix;
    private readonly StringComparison comparison;

    /// <param name="phrases">ASCII, two characters or more.</param>
    /// <param name="ignoreCase">Whether upper and lower case are the same.</param>
    public PhraseScan(IEnumerable<string> phrases, bool ignoreCase)
    {
        comparison = ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        var lists = new Dictionary<int, List<string>>();
        foreach (string phrase in phrases.Distinct(StringComparer.Ordinal))
        {
            int start = (Fold(phrase[0]) << 12) | (Fold(phrase[1]) << 6);
            int first = phrase.Length > 2 ? Fold(phrase[2]) : 0;
            int last = phrase.Length > 2 ? first : 63;
            for (int third = first; third <= last; third++)
            {
                int prefix = start | third;
                prefixes[prefix >> 6] |= 1UL << (prefix & 63);
                if (!lists.TryGetValue(prefix, out List<string>? list))
                {
                    lists[prefix] = list = [];
                }

                list.Add(phrase);
            }
        }

        phrasesByPrefix = lists.ToDictionary(entry => entry.Key, entry => entry.Value.ToArray());
    }

    /// <summary>The index of the next phrase at or after <paramref name="start"/>, or -1. A phrase of two characters needs one more behind it.</summary>
    public int Next(ReadOnlySpan<char> text, int start)
    {
        if (text.Length - start < 3)
        {
            return -1;
        }

        ulong[] table = prefixes;
        int window = (Fold(text[start]) << 6) | Fold(text[start + 1]);
        for (int i = start + 2; i < text.Length; i++)
        {
            window = ((window << 6) | Fold(text[i])) & Mask;
            if ((table[window >> 6] >> (window & 63) & 1) != 0 && StandsAt(text, i - 2, window))
            {
                return i - 2;
            }
        }

        return -1;
    }

    private bool StandsAt(ReadOnlySpan<char> text, int at, int prefix)
    {
        foreach (string phrase in phrasesByPrefix[prefix])
        {
            if (text[at..].StartsWith(phrase, comparison))
            {
                return true;
            }
        }

        return false;
    }

    private static int Fold(char c) => (c | 0x20) & 0x3F;
}
