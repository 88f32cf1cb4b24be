using System.Text.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Policy;

/// <summary>
/// The rules of a server that name one tool, resource or prompt. What does not depend on arguments is decided once; the outcomes of conditional
/// rules are combined once for each combination that occurs. Judging allocates nothing unless it denies over a schema.
/// </summary>
internal sealed class TargetRules
{
    /// <summary>So many conditional rules have their combined outcomes kept: at most 256 of them.</summary>
    private const int MaxCachedConditions = 8;

    /// <summary>Reasons given for one call.</summary>
    private const int MaxErrors = 5;

    private readonly MatchedRule[] _rules;
    private readonly int[] _conditional;
    private readonly ResultSettings _serverResults;
    private readonly RuleOutcome _unconditional;
    private readonly RuleOutcome?[]? _outcomes;

    /// <param name="rules">The rules that name the target, in ordinal order of their ids.</param>
    /// <param name="serverResults">What the result settings of rules override.</param>
    public TargetRules(MatchedRule[] rules, ResultSettings serverResults)
    {
        _rules = rules;
        _serverResults = serverResults;
        _conditional = [.. Enumerable.Range(0, rules.Length).Where(i => rules[i].Rule.When is not null)];
        _unconditional = RuleOutcome.Combine([.. rules.Where(match => match.Rule.When is null)], serverResults);
        if (_conditional.Length is > 0 and <= MaxCachedConditions)
        {
            _outcomes = new RuleOutcome?[1 << _conditional.Length];
            _outcomes[0] = _unconditional;
        }
    }

    /// <summary>What the rules without a condition say together: what holds whatever the arguments, unless a conditional rule is stricter.</summary>
    public RuleOutcome Unconditional => _unconditional;

    /// <summary>The rules that match only some arguments, in ordinal order of their ids.</summary>
    public IEnumerable<CompiledRule> Conditional => _conditional.Select(i => _rules[i].Rule);

    /// <summary>True where every call is denied whatever its arguments: such a target is not shown to the model.</summary>
    public bool IsDenied => _unconditional.Effect == RuleEffect.Deny;

    /// <summary>True where a rule looks at the arguments: to see whether it matches, or whether they are what it requires.</summary>
    public bool LooksAtArguments => _conditional.Length > 0 || _unconditional.Requiring.Length > 0;

    /// <summary>Whether some call may be one that a person is asked about.</summary>
    /// <param name="asksByDefault">Whether a call that no rule judges is asked about.</param>
    public bool CanAsk(bool asksByDefault) => _unconditional.Effect switch
    {
        RuleEffect.Deny => false,
        RuleEffect.Ask => true,
        RuleEffect.None when asksByDefault => true,
        _ => _conditional.Any(i => _rules[i].Rule.Effect == RuleEffect.Ask),
    };

    /// <summary>Judges one call. Never throws: a fault of a schema engine denies.</summary>
    /// <param name="arguments">The arguments; undefined counts as none.</param>
    public RuleVerdict Judge(JsonElement arguments) => JudgeCall(RequestPayload.OfArguments(arguments));

    /// <summary>The same for a request that was read.</summary>
    public RuleVerdict JudgeCall(RequestPayload parameters)
    {
        if (IsDenied)
        {
            return new(_unconditional);
        }

        RuleOutcome outcome = _unconditional;
        if (_conditional.Length > 0)
        {
            Span<bool> holds = _conditional.Length <= 256 ? stackalloc bool[_conditional.Length] : new bool[_conditional.Length];
            CompiledRule? faulted = null;
            int mask = 0;
            for (int i = 0; i < _conditional.Length; i++)
            {
                CompiledRule rule = _rules[_conditional[i]].Rule;
                switch (Check(rule.When!, parameters))
                {
                    case SchemaOutcome.Valid:
                        holds[i] = true;
                        mask |= i < MaxCachedConditions ? 1 << i : 0;
                        break;
                    case SchemaOutcome.Invalid:
                        break;
                    default:
                        faulted ??= rule;
                        break;
                }
            }

            outcome = _outcomes is null ? Combine(holds) : _outcomes[mask] ??= Combine(holds);
            if (faulted is not null && outcome.Effect != RuleEffect.Deny)
            {
                return RuleVerdict.Fault($"the condition of rule {faulted.Id} could not be judged", [faulted.Id]);
            }
        }

        return outcome.Effect == RuleEffect.Deny || outcome.Requiring.Length == 0 ? new(outcome) : Require(outcome, parameters);
    }

    private static RuleVerdict Require(RuleOutcome outcome, RequestPayload parameters)
    {
        List<string>? broken = null;
        List<SchemaError>? errors = null;
        foreach (CompiledRule rule in outcome.Requiring)
        {
            if (Check(rule.Require!, parameters) == SchemaOutcome.Valid)
            {
                continue;
            }

            (broken ??= []).Add(rule.Id);
            errors ??= [];
            if (errors.Count < MaxErrors)
            {
                Explain(rule.Require!, parameters, errors);
            }
        }

        return broken is null ? new(outcome) : RuleVerdict.Invalid($"the arguments break what rule {string.Join(", ", broken)} requires", broken, errors!);
    }

    private RuleOutcome Combine(ReadOnlySpan<bool> holds)
    {
        var matched = new List<MatchedRule>(_rules.Length);
        int next = 0;
        foreach (MatchedRule match in _rules)
        {
            if (match.Rule.When is null || holds[next++])
            {
                matched.Add(match);
            }
        }

        return RuleOutcome.Combine([.. matched], _serverResults);
    }

    private static SchemaOutcome Check(CompiledSchema schema, RequestPayload parameters)
    {
        try
        {
            return parameters.Validate(schema);
        }
        catch (Exception)
        {
            // The engine is a seam: whatever a foreign one throws is no answer, and no answer denies.
            return SchemaOutcome.None;
        }
    }

    private static void Explain(CompiledSchema schema, RequestPayload parameters, List<SchemaError> errors)
    {
        try
        {
            var found = new List<SchemaError>(MaxErrors);
            parameters.Validate(schema, found, MaxErrors - errors.Count);
            errors.AddRange(found.Take(MaxErrors - errors.Count));
        }
        catch (Exception)
        {
            // The call is denied already; only the explanation is lost.
        }
    }
}
