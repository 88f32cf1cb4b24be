namespace Mcp.Guard.Policy;

/// <summary>What a set of matching rules says together. Immutable, so that the outcomes that repeat are made once and shared.</summary>
internal sealed class RuleOutcome
{
    private RuleOutcome()
    {
    }

    public RuleEffect Effect { get; private init; }

    /// <summary>The rules whose effect decided, in ordinal order.</summary>
    public IReadOnlyList<string> RuleIds { get; private init; } = [];

    /// <summary>The same in one text, for records; null where there are none.</summary>
    public string? RuleIdsText { get; private init; }

    /// <summary>What the rules decide about a call that breaks no <c>require</c>.</summary>
    public GuardDecision Decision { get; private init; }

    public bool? Destructive { get; private init; }

    public IReadOnlyList<RateLimitSetting> RateLimits { get; private init; } = [];

    public TimeSpan? Timeout { get; private init; }

    public TimeSpan? TimeoutWithProgress { get; private init; }

    public PathSettings? Paths { get; private init; }

    public UrlSettings? Urls { get; private init; }

    public ResultSettings? Results { get; private init; }

    public bool IsGlobAllow { get; private init; }

    public string Reason { get; private init; } = string.Empty;

    /// <summary>The matching rules that constrain the arguments.</summary>
    public CompiledRule[] Requiring { get; private init; } = [];

    /// <summary>Combines rules, whose order means nothing: deny beats ask beats allow, and of every other value the stricter one holds.</summary>
    /// <param name="matched">In ordinal order of their ids.</param>
    /// <param name="serverResults">What the result settings of rules override.</param>
    public static RuleOutcome Combine(ReadOnlySpan<MatchedRule> matched, ResultSettings serverResults)
    {
        RuleEffect effect = RuleEffect.None;
        foreach (MatchedRule match in matched)
        {
            effect = match.Rule.Effect < effect ? match.Rule.Effect : effect;
        }

        var ids = new List<string>();
        var limits = new List<RateLimitSetting>();
        var requiring = new List<CompiledRule>();
        bool? destructive = null;
        TimeSpan? timeout = null;
        TimeSpan? withProgress = null;
        bool mayExtend = true;
        PathSettings? paths = null;
        UrlSettings? urls = null;
        ResultOverrides? results = null;
        bool onlyGlobs = true;
        foreach (MatchedRule match in matched)
        {
            CompiledRule rule = match.Rule;
            if (rule.Effect == effect)
            {
                ids.Add(rule.Id);
                onlyGlobs &= match.ByGlob;
            }

            destructive = rule.Destructive is null ? destructive : rule.Destructive == true || destructive == true;
            if (rule.RateLimit is not null)
            {
                limits.Add(rule.RateLimit);
            }

            if (rule.Timeout is { } after)
            {
                timeout = timeout < after ? timeout : after;
                // A rule that sets a timeout and no extension means a total deadline, whatever another rule grants.
                mayExtend &= rule.TimeoutWithProgress is not null;
            }

            if (rule.TimeoutWithProgress is { } extended)
            {
                withProgress = withProgress < extended ? withProgress : extended;
            }

            paths = rule.Paths is null ? paths : paths?.Stricter(rule.Paths) ?? rule.Paths;
            urls = rule.Urls is null ? urls : urls?.Stricter(rule.Urls) ?? rule.Urls;
            results = rule.Results is null ? results : results?.Stricter(rule.Results) ?? rule.Results;
            if (rule.Require is not null)
            {
                requiring.Add(rule);
            }
        }

        string names = string.Join(", ", ids);
        string reason = effect switch
        {
            RuleEffect.Deny => $"denied by rule {names}",
            RuleEffect.Ask => $"rule {names} asks",
            RuleEffect.Allow => $"allowed by rule {names}",
            _ => "no rule matches",
        };
        return new()
        {
            Effect = effect,
            RuleIds = [.. ids],
            RuleIdsText = ids.Count > 0 ? string.Join(',', ids) : null,
            Decision = effect switch
            {
                RuleEffect.Allow or RuleEffect.None => GuardDecision.Continue,
                RuleEffect.Ask => GuardDecision.AskConsent("rule-asks", reason),
                _ => GuardDecision.Deny(GuardDenialCodes.RuleDenied, reason),
            },
            Destructive = destructive,
            RateLimits = [.. limits],
            Timeout = timeout,
            TimeoutWithProgress = mayExtend ? withProgress : null,
            Paths = paths,
            Urls = urls,
            Results = results?.Over(serverResults),
            IsGlobAllow = effect == RuleEffect.Allow && onlyGlobs,
            Requiring = [.. requiring],
            Reason = reason,
        };
    }
}
