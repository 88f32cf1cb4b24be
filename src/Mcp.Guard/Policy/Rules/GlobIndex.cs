using System.Collections.Frozen;

namespace Mcp.Guard.Policy;

/// <summary>
/// Finds the patterns that match a text without trying all of them: exact ones by the text, others by what they start or end with. Only patterns that
/// begin and end with <c>*</c> are tried one by one.
/// </summary>
internal sealed class GlobIndex
{
    private readonly FrozenDictionary<string, int[]> _exact;
    private readonly FrozenDictionary<string, Entry[]> _byPrefix;
    private readonly FrozenDictionary<string, Entry[]> _bySuffix;
    private readonly int[] _prefixLengths;
    private readonly int[] _suffixLengths;
    private readonly Entry[] _others;

    /// <param name="patterns">Each pattern with the number that a match yields.</param>
    public GlobIndex(IEnumerable<(Glob Pattern, int Value)> patterns)
    {
        var exact = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        var byPrefix = new Dictionary<string, List<Entry>>(StringComparer.Ordinal);
        var bySuffix = new Dictionary<string, List<Entry>>(StringComparer.Ordinal);
        var others = new List<Entry>();
        foreach ((Glob pattern, int value) in patterns)
        {
            if (pattern.IsExact)
            {
                Add(exact, pattern.Pattern, value);
            }
            else if (pattern.Prefix.Length > 0)
            {
                Add(byPrefix, pattern.Prefix, new Entry(pattern, value));
            }
            else if (pattern.Suffix.Length > 0)
            {
                Add(bySuffix, pattern.Suffix, new Entry(pattern, value));
            }
            else
            {
                others.Add(new(pattern, value));
            }
        }

        _exact = exact.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToArray(), StringComparer.Ordinal);
        _byPrefix = byPrefix.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToArray(), StringComparer.Ordinal);
        _bySuffix = bySuffix.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToArray(), StringComparer.Ordinal);
        _prefixLengths = [.. _byPrefix.Keys.Select(key => key.Length).Distinct().Order()];
        _suffixLengths = [.. _bySuffix.Keys.Select(key => key.Length).Distinct().Order()];
        _others = [.. others];
    }

    /// <summary>Reports every match: its value, and whether the pattern holds a <c>*</c>. A value with several matching patterns is reported several times.</summary>
    public void Match(string text, List<(int Value, bool IsGlob)> matches)
    {
        if (_exact.TryGetValue(text, out int[]? values))
        {
            foreach (int value in values)
            {
                matches.Add((value, false));
            }
        }

        var byPrefix = _byPrefix.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (int length in _prefixLengths)
        {
            if (length > text.Length)
            {
                break;
            }

            if (byPrefix.TryGetValue(text.AsSpan(0, length), out Entry[]? entries))
            {
                Try(entries, text, matches);
            }
        }

        var bySuffix = _bySuffix.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (int length in _suffixLengths)
        {
            if (length > text.Length)
            {
                break;
            }

            if (bySuffix.TryGetValue(text.AsSpan(text.Length - length), out Entry[]? entries))
            {
                Try(entries, text, matches);
            }
        }

        Try(_others, text, matches);
    }

    private static void Try(Entry[] entries, string text, List<(int Value, bool IsGlob)> matches)
    {
        foreach (Entry entry in entries)
        {
            if (entry.Pattern.IsMatch(text))
            {
                matches.Add((entry.Value, true));
            }
        }
    }

    private static void Add<T>(Dictionary<string, List<T>> lists, string key, T value)
    {
        if (!lists.TryGetValue(key, out List<T>? list))
        {
            lists[key] = list = [];
        }

        list.Add(value);
    }

    private readonly record struct Entry(Glob Pattern, int Value);
}
