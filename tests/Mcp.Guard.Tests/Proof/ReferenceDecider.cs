namespace Mcp.Guard.Tests.Proof;

/// <summary>
/// Decides tool calls as docs/policy.md, docs/consent.md and docs/limits.md say: one plain function a paragraph, slow, without a line of the library. Where it
/// and the library disagree, one of the two or the document is wrong.
/// </summary>
internal sealed class ReferenceDecider(PolicyModel policy)
{
    private const string Server = "test";

    private static readonly TimeSpan Session = TimeSpan.FromHours(12);

    private readonly Dictionary<string, string> _pins = new(StringComparer.Ordinal);
    private readonly HashSet<HaltScope> _halts = [];
    private readonly List<Grant> _grants = [];
    private readonly Dictionary<string, ReferenceRate> _rates = new(StringComparer.Ordinal);
    private readonly Dictionary<CallerModel, long> _spent = [];
    private readonly Dictionary<(CallerModel Caller, string Tool), long> _spentOnTool = [];
    private readonly Dictionary<(CallerModel Caller, string Call), List<TimeSpan>> _made = [];
    private readonly Queue<CallerModel> _open = new();
    private Dictionary<string, ToolModel> _listed = new(StringComparer.Ordinal);
    private bool _wasSeen;
    private TimeSpan _now;

    public void Wait(TimeSpan time) => _now += time;

    public void Halt(HaltScope scope) => _halts.Add(scope);

    public void Resume(HaltScope scope) => _halts.Remove(scope);

    public void End() => _open.TryDequeue(out _);

    /// <summary>Pins, first sight: what a server lists the first time is pinned; what appears or changes later is not.</summary>
    /// <returns>False where the list itself is denied.</returns>
    public bool List(IReadOnlyList<ToolModel> tools, CallerModel by)
    {
        if (IsHalted(null, by))
        {
            return false;
        }

        _listed = tools.ToDictionary(static tool => tool.Name, StringComparer.Ordinal);
        if (!_wasSeen)
        {
            foreach (ToolModel tool in tools)
            {
                _pins[tool.Name] = tool.Definition;
            }

            _wasSeen = true;
        }

        return true;
    }

    public Verdict Decide(CallModel call, CallerModel by, AnswerModel answer, bool staysOpen)
    {
        RuleModel[] rules = [.. policy.Rules.Where(rule => rule.Tools.Any(pattern => Matches(pattern, call.Tool)) && rule.When?.Accepts(call) != false)];
        if (BeforeAsking(call, by, rules) is { } denied)
        {
            return new(denied, false);
        }

        // Rules came first; whatever asks, one prompt shows all reasons.
        ToolModel tool = _listed[call.Tool];
        bool isChanged = _pins.TryGetValue(call.Tool, out string? pin) && pin != tool.Definition;
        bool asks = isChanged || RulesAsk(rules, tool) || IsRepeated(call, by);
        bool asked = false;
        if (!Charge(rules, call, by))
        {
            return new(GuardDenialCodes.RateLimited, false);
        }

        if (asks)
        {
            string? refused = Consent(call, by, tool, isChanged, answer, out asked);
            if (refused is not null)
            {
                return new(refused, asked);
            }
        }

        if (_open.Count >= policy.MaxConcurrent || _open.Count(other => IsSameUser(other, by)) >= policy.MaxConcurrentPerCaller)
        {
            return new(GuardDenialCodes.TooManyCalls, asked);
        }

        _spent[by] = _spent.GetValueOrDefault(by) + 1;
        _spentOnTool[(by, call.Tool)] = _spentOnTool.GetValueOrDefault((by, call.Tool)) + 1;
        Made(call, by).Add(_now);
        if (staysOpen)
        {
            _open.Enqueue(by);
        }

        return new(null, asked);
    }

    private string? BeforeAsking(CallModel call, CallerModel by, RuleModel[] rules)
    {
        if (IsHalted(call.Tool, by))
        {
            return GuardDenialCodes.Halted;
        }

        if (policy.RequireCaller && by.User is null)
        {
            return GuardDenialCodes.CallerRequired;
        }

        // Deny beats ask beats allow.
        if (rules.Any(static rule => rule.Effect == "deny"))
        {
            return GuardDenialCodes.RuleDenied;
        }

        // "require" constrains what its rule matches, whichever rule's effect wins.
        if (rules.Any(rule => rule.Require?.Accepts(call) == false))
        {
            return GuardDenialCodes.ArgumentsInvalid;
        }

        if (!_listed.ContainsKey(call.Tool))
        {
            return GuardDenialCodes.ToolUnknown;
        }

        if (call.IsMistyped)
        {
            return GuardDenialCodes.ArgumentsInvalid;
        }

        if (call.Path is { } path && (!policy.HasRoot || path != PathModel.Inside))
        {
            return GuardDenialCodes.PathOutsideRoots;
        }

        return _spent.GetValueOrDefault(by) >= policy.Calls || _spentOnTool.GetValueOrDefault((by, call.Tool)) >= policy.CallsPerTool
            ? GuardDenialCodes.BudgetSpent
            : null;
    }

    private bool IsHalted(string? tool, CallerModel by) => _halts.Any(halt =>
        (halt.Server is null || halt.Server == Server)
        && (halt.Tool is null || halt.Tool == tool)
        && (halt.UserId is null || halt.UserId == by.User));

    private bool RulesAsk(RuleModel[] rules, ToolModel tool)
    {
        if (rules.Any(static rule => rule.Effect == "ask"))
        {
            return true;
        }

        // A tool that appeared later asks, unless a rule allows it by its exact name.
        RuleModel[] allows = [.. rules.Where(static rule => rule.Effect == "allow")];
        if (!_pins.ContainsKey(tool.Name) && !allows.Any(rule => rule.Tools.Contains(tool.Name)))
        {
            return true;
        }

        return allows.Length == 0 && (policy.ConfirmAlways || IsDestructive(rules, tool));
    }

    /// <summary>Destructive unless the policy says otherwise, or a trusted server does; a hint can tighten and never loosen; of hints the dangerous one counts.</summary>
    private bool IsDestructive(RuleModel[] rules, ToolModel tool)
    {
        if (tool.DestructiveHint == true || rules.Any(static rule => rule.Destructive == true))
        {
            return true;
        }

        return !rules.Any(static rule => rule.Destructive == false)
            && !(policy.Trusted && (tool.ReadOnlyHint == true || tool.DestructiveHint == false));
    }

    /// <summary>The loop breaker: after so many identical calls in a minute the next one asks.</summary>
    private bool IsRepeated(CallModel call, CallerModel by) =>
        Made(call, by).Count(at => _now - at < TimeSpan.FromMinutes(1)) >= (policy.Repeats ?? 10);

    private List<TimeSpan> Made(CallModel call, CallerModel by)
    {
        var key = (by, call.Tool + " " + call.ArgumentsKey);
        if (!_made.TryGetValue(key, out List<TimeSpan>? made))
        {
            _made[key] = made = [];
        }

        return made;
    }

    /// <summary>Every limit of every matching rule in place of the server's, all together or none.</summary>
    private bool Charge(RuleModel[] rules, CallModel call, CallerModel by)
    {
        (string Id, RateModel Rate)[] limits = [.. rules.Where(static rule => rule.Rate is not null).Select(static rule => ("rule " + rule.Id, rule.Rate!))];
        if (limits.Length == 0)
        {
            limits = [("server", policy.Rate ?? new RateModel(3, TimeSpan.FromSeconds(1), null, null))];
        }

        ReferenceRate[] buckets = [.. limits.Select(limit => BucketOf(limit.Id, limit.Rate, call, by))];
        if (!buckets.All(bucket => bucket.Admits(_now)))
        {
            return false;
        }

        foreach (ReferenceRate bucket in buckets)
        {
            bucket.Take();
        }

        return true;
    }

    private ReferenceRate BucketOf(string id, RateModel rate, CallModel call, CallerModel by)
    {
        string key = id;
        foreach (string part in rate.By ?? ["caller"])
        {
            key += " " + part + "=" + part switch
            {
                "caller" => by.User ?? "connection " + by.Session,
                "session" => by.User + "/" + by.Session,
                "tool" => call.Tool,
                _ => Server,
            };
        }

        if (!_rates.TryGetValue(key, out ReferenceRate? bucket))
        {
            _rates[key] = bucket = new ReferenceRate(rate, _now);
        }

        return bucket;
    }

    private string? Consent(CallModel call, CallerModel by, ToolModel tool, bool isChanged, AnswerModel answer, out bool asked)
    {
        asked = false;
        string no = isChanged ? GuardDenialCodes.ToolChanged : GuardDenialCodes.ConsentDenied;
        if (_grants.Any(grant => grant.Kind == AnswerModel.Never && grant.Tool == call.Tool && IsSameUser(grant.By, by)))
        {
            return no;
        }

        if (_grants.Any(grant => grant.Covers(call, by, tool.Definition, _now)))
        {
            return null;
        }

        asked = true;
        if (isChanged && answer is (AnswerModel.Tool or AnswerModel.ToolForAMinute) && !policy.RequireCaller)
        {
            // "This tool" agrees to the change, for everybody, besides to the calls.
            _pins[call.Tool] = tool.Definition;
        }

        switch (answer)
        {
            case AnswerModel.Once:
                return null;
            case AnswerModel.TheseArguments or AnswerModel.TheseArgumentsForAMinute when isChanged:
                // Not offered for a change.
                return no;
            case AnswerModel.TheseArguments or AnswerModel.Tool or AnswerModel.Never:
                _grants.Add(new Grant(answer, call.Tool, tool.Definition, call.ArgumentsKey, by, _now + Session, true));
                return answer == AnswerModel.Never ? no : null;
            case AnswerModel.TheseArgumentsForAMinute:
                _grants.Add(new Grant(AnswerModel.TheseArguments, call.Tool, tool.Definition, call.ArgumentsKey, by, _now + TimeSpan.FromMinutes(1), false));
                return null;
            case AnswerModel.ToolForAMinute:
                _grants.Add(new Grant(AnswerModel.Tool, call.Tool, tool.Definition, call.ArgumentsKey, by, _now + TimeSpan.FromMinutes(1), false));
                return null;
            case AnswerModel.Fails:
                return isChanged ? no : GuardDenialCodes.ConsentUnavailable;
            default:
                return no;
        }
    }

    /// <summary>A caller that the host did not name stands for one connection.</summary>
    private static bool IsSameUser(CallerModel a, CallerModel b) => a.User == b.User && (a.User is not null || a.Session == b.Session);

    private static bool Matches(string pattern, string name)
    {
        int star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0)
        {
            return pattern == name;
        }

        string head = pattern[..star], rest = pattern[(star + 1)..];
        return name.StartsWith(head, StringComparison.Ordinal)
            && Enumerable.Range(head.Length, name.Length - head.Length + 1).Any(from => Matches(rest, name[from..]));
    }

    private sealed record Grant(AnswerModel Kind, string Tool, string Definition, string Arguments, CallerModel By, TimeSpan Until, bool IsOfSession)
    {
        public bool Covers(CallModel call, CallerModel by, string definition, TimeSpan now) =>
            Kind is AnswerModel.Tool or AnswerModel.TheseArguments
            && Tool == call.Tool
            && Definition == definition
            && now < Until
            && (IsOfSession ? By == by : IsSameUser(By, by))
            && (Kind == AnswerModel.Tool || Arguments == call.ArgumentsKey);
    }
}
