using System.Collections.Concurrent;

namespace Mcp.Guard.Policy;

/// <summary>
/// The rules of a server for one kind of target. What matches a name is found once and kept in a bounded cache, so that a call pays nothing for rules
/// that do not name its tool, however many there are.
/// </summary>
internal sealed class RuleSet
{
    /// <summary>Names kept; when there are more, the cache starts anew: names that a caller or server makes up cost time, never memory.</summary>
    internal const int MaxCachedNames = 4_096;

    /// <summary>Longer names are judged without being kept.</summary>
    internal const int MaxCachedNameLength = 1_024;

    private readonly CompiledRule[] _rules;
    private readonly GlobIndex _index;
    private readonly ResultSettings _serverResults;
    private readonly TargetRules _none;
    private ConcurrentDictionary<string, TargetRules> _cache = new(StringComparer.Ordinal);
    private int _cached;

    /// <param name="rules">All rules of the server.</param>
    /// <param name="select">The patterns of a rule for this kind of target.</param>
    /// <param name="serverResults">What the result settings of rules override.</param>
    public RuleSet(IEnumerable<CompiledRule> rules, Func<CompiledRule, IReadOnlyList<Glob>> select, ResultSettings serverResults)
    {
        _serverResults = serverResults;
        _rules = [.. rules.Where(rule => select(rule).Count > 0).OrderBy(rule => rule.Id, StringComparer.Ordinal)];
        _index = new(_rules.SelectMany((rule, number) => select(rule).Select(pattern => (pattern, number))));
        _none = new([], serverResults);
    }

    public bool IsEmpty => _rules.Length == 0;

    /// <summary>True where some rule for this kind of target asks.</summary>
    public bool CanAsk => _rules.Any(rule => rule.Effect == RuleEffect.Ask);

    /// <summary>True where a rule without a condition denies every target of this kind.</summary>
    public bool DeniesAll(Func<CompiledRule, IReadOnlyList<Glob>> select) =>
        _rules.Any(rule => rule is { Effect: RuleEffect.Deny, When: null } && select(rule).Any(pattern => pattern.Pattern == "*"));

    /// <summary>The rules that name a target.</summary>
    public TargetRules For(string name)
    {
        if (_rules.Length == 0)
        {
            return _none;
        }

        ConcurrentDictionary<string, TargetRules> cache = Volatile.Read(ref _cache);
        if (cache.TryGetValue(name, out TargetRules? known))
        {
            return known;
        }

        TargetRules found = Find(name);
        if (name.Length <= MaxCachedNameLength && cache.TryAdd(name, found) && Interlocked.Increment(ref _cached) > MaxCachedNames)
        {
            Volatile.Write(ref _cached, 0);
            Volatile.Write(ref _cache, new(StringComparer.Ordinal));
        }

        return found;
    }

    /// <summary>The rules that name a target, or every target that a pattern stands for: a <c>*</c> of the pattern can only be met by a <c>*</c>.</summary>
    internal IEnumerable<CompiledRule> Covering(string pattern)
    {
        var matches = new List<(int Value, bool IsGlob)>();
        _index.Match(pattern, matches);
        return matches.Select(match => _rules[match.Value]).Distinct();
    }

    private TargetRules Find(string name)
    {
        var matches = new List<(int Value, bool IsGlob)>();
        _index.Match(name, matches);
        if (matches.Count == 0)
        {
            return _none;
        }

        // By number is by id; an exact pattern of a rule outweighs its globs.
        var byRule = new SortedDictionary<int, bool>();
        foreach ((int value, bool isGlob) in matches)
        {
            byRule[value] = byRule.TryGetValue(value, out bool onlyGlob) ? onlyGlob && isGlob : isGlob;
        }

        return new([.. byRule.Select(pair => new MatchedRule(_rules[pair.Key], pair.Value))], _serverResults);
    }
}
