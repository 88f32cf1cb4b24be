using System.Buffers;
using System.Runtime.InteropServices;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// Collects what was found in one text, and the values found under sensitive names in one document. Nothing is allocated before the first
/// find.
/// </summary>
internal sealed class SecretMatches
{
    /// <summary>How many values are looked for in the rest of the document; further ones are redacted only where they were found.</summary>
    public const int MaxValues = 256;

    /// <summary>A shorter value is redacted only where it was found.</summary>
    public const int MinRepeatedLength = 8;

    /// <summary>A longer value is redacted only where it was found: the search for values that start alike takes as long as they are.</summary>
    public const int MaxRepeatedLength = 512;

    /// <summary>How many characters the values looked for have together.</summary>
    public const int MaxValueCharacters = 16_384;

    private readonly List<SecretMatch> found = [];
    private readonly HashSet<string> values = new(StringComparer.Ordinal);
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> valueLookup;
    private readonly List<string>?[] valuesByStart = new List<string>?[StartKinds];
    private SearchValues<string>? search;
    private int characters;

    /// <summary>Values by the low bits of their first character.</summary>
    private const int StartKinds = 64;

    public SecretMatches()
    {
        valueLookup = values.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public bool HasValue(string value) => values.Contains(value);

    /// <summary>The length of the longest value that stands at the start of a text, or 0.</summary>
    public int ValueAt(ReadOnlySpan<char> rest)
    {
        int longest = 0;
        if (!rest.IsEmpty && valuesByStart[rest[0] % StartKinds] is { } candidates)
        {
            foreach (string value in candidates)
            {
                longest = value.Length > longest && rest.StartsWith(value, StringComparison.Ordinal) ? value.Length : longest;
            }
        }

        return longest;
    }

    public int Count => found.Count;

    /// <summary>A search for all values at once; null where there is none.</summary>
    public SearchValues<string>? ValueSearch
    {
        get
        {
            if (search is null && values.Count > 0)
            {
                search = SearchValues.Create([.. values], StringComparison.Ordinal);
            }

            return search;
        }
    }

    public void Add(int start, int end, string family)
    {
        if (end > start)
        {
            found.Add(new SecretMatch(start, end, family));
        }
    }

    /// <summary>Remembers a value of a sensitive name, to redact it wherever else it stands.</summary>
    public void AddValue(ReadOnlySpan<char> value)
    {
        if (value.Length is < MinRepeatedLength or > MaxRepeatedLength || values.Count >= MaxValues || characters + value.Length > MaxValueCharacters || valueLookup.Contains(value))
        {
            return;
        }

        // A piece of what replaces secrets would be found in every replacement.
        if (SecretRedactor.Opening.AsSpan().Contains(value, StringComparison.Ordinal))
        {
            return;
        }

        string kept = value.ToString();
        values.Add(kept);
        characters += kept.Length;
        (valuesByStart[kept[0] % StartKinds] ??= []).Add(kept);
        search = null;
    }

    /// <summary>Forgets the matches of the text before, keeps the values of the document.</summary>
    public void NextText() => found.Clear();

    /// <summary>The matches in order, overlapping ones made one.</summary>
    public List<SecretMatch> Merged()
    {
        CollectionsMarshal.AsSpan(found).Sort(default(ByStart));
        var merged = new List<SecretMatch>(found.Count);
        foreach (SecretMatch match in found)
        {
            if (merged.Count > 0 && match.Start < merged[^1].End)
            {
                merged[^1] = merged[^1] with { End = Math.Max(merged[^1].End, match.End) };
            }
            else
            {
                merged.Add(match);
            }
        }

        return merged;
    }

    /// <summary>By start, the longer first.</summary>
    private readonly struct ByStart : IComparer<SecretMatch>
    {
        public int Compare(SecretMatch x, SecretMatch y) => x.Start != y.Start ? x.Start.CompareTo(y.Start) : y.End.CompareTo(x.End);
    }
}
