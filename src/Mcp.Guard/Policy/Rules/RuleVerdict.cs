namespace Mcp.Guard.Policy;

/// <summary>What the rules say about one call. An uninitialised value (<c>default</c>) denies with <see cref="GuardDenialCodes.GuardFault"/>.</summary>
internal readonly struct RuleVerdict
{
    private readonly RuleOutcome? _outcome;
    private readonly string? _code;
    private readonly string? _reason;
    private readonly IReadOnlyList<string>? _ruleIds;
    private readonly IReadOnlyList<SchemaError>? _errors;

    /// <summary>The combined word of the rules.</summary>
    public RuleVerdict(RuleOutcome outcome) => _outcome = outcome;

    private RuleVerdict(string code, string reason, IReadOnlyList<string> ruleIds, IReadOnlyList<SchemaError>? errors)
    {
        _code = code;
        _reason = reason;
        _ruleIds = ruleIds;
        _errors = errors;
    }

    public RuleEffect Effect => _outcome?.Effect ?? RuleEffect.Deny;

    /// <summary>The denial code; empty where the effect is not deny.</summary>
    public string Code => _code ?? (_outcome is null ? GuardDenialCodes.GuardFault : _outcome.Effect == RuleEffect.Deny ? GuardDenialCodes.RuleDenied : string.Empty);

    /// <summary>The rules that decided, in ordinal order.</summary>
    public IReadOnlyList<string> RuleIds => _ruleIds ?? _outcome?.RuleIds ?? [];

    /// <summary>The same in one text, for records; null where there are none.</summary>
    public string? RuleIdsText => _ruleIds is { Count: > 0 } own ? string.Join(',', own) : _ruleIds is null ? _outcome?.RuleIdsText : null;

    /// <summary>What the rules decide, made once for all calls of which they say the same; null where it is about the arguments of this one.</summary>
    public GuardDecision? Shared => _outcome?.Decision;

    /// <summary>What the rules say about danger; null where they say nothing.</summary>
    public bool? Destructive => _outcome?.Destructive;

    /// <summary>The limits of all matching rules, each of which applies; where there are none, the server's default applies.</summary>
    public IReadOnlyList<RateLimitSetting> RateLimits => _outcome?.RateLimits ?? [];

    /// <summary>Null: the server's default applies.</summary>
    public TimeSpan? Timeout => _outcome?.Timeout;

    /// <summary>How far progress may extend the time-out; null is not at all.</summary>
    public TimeSpan? TimeoutWithProgress => _outcome?.TimeoutWithProgress;

    /// <summary>Null: paths are found by the default detection.</summary>
    public PathSettings? Paths => _outcome?.Paths;

    /// <summary>Null: no rule judges URLs in arguments.</summary>
    public UrlSettings? Urls => _outcome?.Urls;

    /// <summary>What is in force for the result where a rule sets something; null: the server's settings apply.</summary>
    public ResultSettings? Results => _outcome?.Results;

    /// <summary>True where only patterns with <c>*</c> allow the call: such an allow holds only for pinned tools.</summary>
    public bool IsGlobAllow => _outcome is { IsGlobAllow: true };

    /// <summary>Where the arguments break a <c>require</c>: at most 5 reasons, no values.</summary>
    public IReadOnlyList<SchemaError> Errors => _errors ?? [];

    /// <summary>For the audit and the prompt of a person; it names rules and never reaches a model.</summary>
    public string Reason => _reason ?? _outcome?.Reason ?? "the rules were not judged";

    /// <summary>The arguments break what a matching rule requires.</summary>
    public static RuleVerdict Invalid(string reason, IReadOnlyList<string> ruleIds, IReadOnlyList<SchemaError> errors) =>
        new(GuardDenialCodes.ArgumentsInvalid, reason, ruleIds, errors);

    /// <summary>The rules could not be judged.</summary>
    public static RuleVerdict Fault(string reason, IReadOnlyList<string> ruleIds) => new(GuardDenialCodes.GuardFault, reason, ruleIds, null);
}
