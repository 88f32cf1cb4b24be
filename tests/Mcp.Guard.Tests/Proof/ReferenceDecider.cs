namespace Mcp.Guard.Tests.Proof;

/// <summary>
/// Decides calls of tools, reads of resources and requests of prompts as docs/policy.md, docs/consent.md and docs/limits.md say: one plain function a paragraph, slow, without a line of the library. Where it
/// and the library disagree, one of the two or the document is wrong.
/// </summary>
internal sealed class ReferenceDecider(IReadOnlyDictionary<string, PolicyModel> policies)
{
    private static readonly TimeSpan Session = TimeSpan.FromHours(12);

    private readonly Dictionary<(string Server, string Tool), string> _pins = [];
    private readonly HashSet<HaltScope> _halts = [];
    private readonly List<Grant> _grants = [];
    private readonly Dictionary<string, ReferenceRate> _rates = new(StringComparer.Ordinal);
    private readonly Dictionary<CallerModel, long> _spent = [];
    private readonly Dictionary<(CallerModel Caller, string Server, string Tool), long> _spentOnTool = [];
    private readonly Dictionary<(CallerModel Caller, string Call), List<TimeSpan>> _made = [];
    private readonly Queue<(string Server, CallerModel By, bool TakesASlot)> _open = new();
    private readonly Dictionary<string, Dictionary<string, ToolModel>> _listed = new(StringComparer.Ordinal);
    private TimeSpan _now;

    public void Wait(TimeSpan time) => _now += time;

    public void Halt(HaltScope scope) => _halts.Add(scope);

    public void Resume(HaltScope scope) => _halts.Remove(scope);

    public void End() => _open.TryDequeue(out _);

    /// <summary>
    /// Pins, first sight: what a server lists the first time is pinned; what appears or changes later is not. Pins in the policy take the place of that.
    /// </summary>
    /// <returns>False where the list itself is denied.</returns>
    public bool List(string server, IReadOnlyList<ToolModel> tools, CallerModel by)
    {
        if (IsHalted(server, null, by))
        {
            return false;
        }

        PolicyModel policy = policies[server];
        if (!_listed.ContainsKey(server))
        {
            foreach (ToolModel tool in policy.Pins.Count > 0 ? policy.Pins : tools)
            {
                _pins[(server, tool.Name)] = tool.Definition;
            }
        }

        _listed[server] = tools.ToDictionary(static tool => tool.Name, StringComparer.Ordinal);
        return true;
    }

    public Verdict Decide(Step.Call step)
    {
        if (step.By.User is null)
        {
            // A caller that the host did not name stands for one connection, and each server has its own.
            step = step with { By = step.By with { Session = step.By.Session + " to " + step.Server } };
        }

        (CallModel call, CallerModel by, _, bool staysOpen, string server) = step;
        PolicyModel policy = policies[server];
        RuleModel[] named = [.. policy.Rules.Where(rule => rule.PatternsOf(call.Kind).Any(pattern => Matches(pattern, call.Target)))];
        RuleModel[] rules = [.. named.Where(rule => rule.When is null || rule.When.Accepts(call) == true)];
        if (BeforeAsking(policy, server, call, by, named, rules) is { } denied)
        {
            return new(denied, false);
        }

        // Rules came first; whatever asks, one prompt shows all reasons.
        bool isTool = call.Kind == TargetModel.Tool;
        ToolModel? tool = isTool ? _listed[server][call.Target] : null;
        bool isChanged = IsChanged(server, tool);
        bool asks = tool is null ? rules.Any(static rule => rule.Effect == "ask") : isChanged || RulesAsk(policy, server, rules, tool) || IsRepeated(policy, server, call, by);
        bool asked = false;
        if (call.Kind != TargetModel.Prompt && !Charge(policy, server, rules, call, by))
        {
            return new(GuardDenialCodes.RateLimited, false);
        }

        if (asks)
        {
            string? refused = Consent(policy, step, tool, isChanged, out asked);
            if (refused is not null)
            {
                return new(refused, asked);
            }
        }

        if (isTool && HasNoSlot(policy, server, by))
        {
            return new(GuardDenialCodes.TooManyCalls, asked);
        }

        if (isTool)
        {
            // A call counts for a session where the policy of its server sets such a budget.
            _spent[by] = _spent.GetValueOrDefault(by) + (policy.Calls is null ? 0 : 1);
            _spentOnTool[(by, server, call.Target)] = _spentOnTool.GetValueOrDefault((by, server, call.Target)) + 1;
            Made(server, call, by).Add(_now);
        }

        if (staysOpen)
        {
            _open.Enqueue((server, by, isTool));
        }

        return new(null, asked);
    }

    /// <summary>Slots of a server, and of a caller over all servers.</summary>
    private bool HasNoSlot(PolicyModel policy, string server, CallerModel by) =>
        _open.Count(other => other.TakesASlot && other.Server == server) >= policy.MaxConcurrent
        || _open.Count(other => other.TakesASlot && IsSameUser(other.By, by)) >= policy.MaxConcurrentPerCaller;

    private bool IsChanged(string server, ToolModel? tool) =>
        tool is not null && _pins.TryGetValue((server, tool.Name), out string? pin) && pin != tool.Definition;

    private string? BeforeAsking(PolicyModel policy, string server, CallModel call, CallerModel by, RuleModel[] named, RuleModel[] rules)
    {
        if (IsHalted(server, call.Target, by))
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

        // Any outcome of "when" but valid or invalid denies.
        if (named.Any(rule => rule.When is not null && rule.When.Accepts(call) is null))
        {
            return GuardDenialCodes.GuardFault;
        }

        // "require" constrains what its rule matches, whichever rule's effect wins; any outcome but valid denies.
        if (rules.Any(rule => rule.Require is not null && rule.Require.Accepts(call) != true))
        {
            return GuardDenialCodes.ArgumentsInvalid;
        }

        if (call.Kind == TargetModel.Tool)
        {
            if (!_listed[server].TryGetValue(call.Target, out ToolModel? tool))
            {
                return GuardDenialCodes.ToolUnknown;
            }

            // Nobody but the policy approves where it pins.
            if (policy.Pins.Count > 0 && IsChanged(server, tool))
            {
                return GuardDenialCodes.ToolChanged;
            }
        }

        if (call.IsMistyped)
        {
            return GuardDenialCodes.ArgumentsInvalid;
        }

        if (call.Path is { } path && (!policy.HasRoot || path != PathModel.Inside))
        {
            return GuardDenialCodes.PathOutsideRoots;
        }

        return call.Kind == TargetModel.Tool && (_spent.GetValueOrDefault(by) >= policy.Calls || _spentOnTool.GetValueOrDefault((by, server, call.Target)) >= policy.CallsPerTool)
            ? GuardDenialCodes.BudgetSpent
            : null;
    }

    private bool IsHalted(string server, string? tool, CallerModel by) => _halts.Any(halt =>
        (halt.Server is null || halt.Server == server)
        && (halt.Tool is null || halt.Tool == tool)
        && (halt.UserId is null || halt.UserId == by.User));

    private bool RulesAsk(PolicyModel policy, string server, RuleModel[] rules, ToolModel tool)
    {
        if (rules.Any(static rule => rule.Effect == "ask"))
        {
            return true;
        }

        // A tool that appeared later asks, unless a rule allows it by its exact name.
        RuleModel[] allows = [.. rules.Where(static rule => rule.Effect == "allow")];
        if (!_pins.ContainsKey((server, tool.Name)) && !allows.Any(rule => rule.Tools.Contains(tool.Name)))
        {
            return true;
        }

        return allows.Length == 0 && (policy.ConfirmAlways || IsDestructive(policy, rules, tool));
    }

    /// <summary>Destructive unless the policy says otherwise, or a trusted server does; a hint can tighten and never loosen; of hints the dangerous one counts.</summary>
    private static bool IsDestructive(PolicyModel policy, RuleModel[] rules, ToolModel tool)
    {
        if (tool.DestructiveHint == true || rules.Any(static rule => rule.Destructive == true))
        {
            return true;
        }

        return !rules.Any(static rule => rule.Destructive == false)
            && !(policy.Trusted && (tool.ReadOnlyHint == true || tool.DestructiveHint == false));
    }

    /// <summary>The loop breaker: after so many identical calls in a minute the next one asks.</summary>
    private bool IsRepeated(PolicyModel policy, string server, CallModel call, CallerModel by) =>
        Made(server, call, by).Count(at => _now - at < TimeSpan.FromMinutes(1)) >= (policy.Repeats ?? 10);

    private List<TimeSpan> Made(string server, CallModel call, CallerModel by)
    {
        var key = (by, server + " " + call.Target + " " + call.ArgumentsKey);
        if (!_made.TryGetValue(key, out List<TimeSpan>? made))
        {
            _made[key] = made = [];
        }

        return made;
    }

    /// <summary>Every limit of every matching rule in place of the server's, all together or none.</summary>
    private bool Charge(PolicyModel policy, string server, RuleModel[] rules, CallModel call, CallerModel by)
    {
        (string Id, RateModel Rate)[] limits = [.. rules.Where(static rule => rule.Rate is not null).Select(rule => ("rule " + server + "/" + rule.Id, rule.Rate!))];
        if (limits.Length == 0)
        {
            // The default is one limit for all servers that set none.
            limits = policy.Rate is null ? [("default", new RateModel(3, TimeSpan.FromSeconds(1), null, null))] : [("server " + server, policy.Rate)];
        }

        ReferenceRate[] buckets = [.. limits.Select(limit => BucketOf(limit.Id, limit.Rate, server, call, by))];
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

    private ReferenceRate BucketOf(string id, RateModel rate, string server, CallModel call, CallerModel by)
    {
        string key = id;
        foreach (string part in rate.By ?? ["caller"])
        {
            key += " " + part + "=" + part switch
            {
                "caller" => by.User ?? "connection " + by.Session,
                "session" => by.User + "/" + by.Session,
                "tool" => call.Target,
                _ => server,
            };
        }

        if (!_rates.TryGetValue(key, out ReferenceRate? bucket))
        {
            _rates[key] = bucket = new ReferenceRate(rate, _now);
        }

        return bucket;
    }

    private string? Consent(PolicyModel policy, Step.Call step, ToolModel? tool, bool isChanged, out bool asked)
    {
        (CallModel call, CallerModel by, AnswerModel answer, _, string server) = step;
        asked = false;
        string no = isChanged ? GuardDenialCodes.ToolChanged : GuardDenialCodes.ConsentDenied;
        if (_grants.Any(grant => grant.Kind == AnswerModel.Never && grant.Target == (server, call.Kind, call.Target) && IsSameUser(grant.By, by)))
        {
            return no;
        }

        if (_grants.Any(grant => grant.Covers(step, tool?.Definition, _now)))
        {
            return null;
        }

        asked = true;
        if (isChanged && answer is (AnswerModel.Tool or AnswerModel.ToolForAMinute) && !policy.RequireCaller)
        {
            // "This tool" agrees to the change, for everybody, besides to the calls.
            _pins[(server, call.Target)] = tool!.Definition;
        }

        switch (answer)
        {
            case AnswerModel.Once:
                return null;
            case AnswerModel.TheseArguments or AnswerModel.TheseArgumentsForAMinute when isChanged:
            case AnswerModel.TheseArguments or AnswerModel.TheseArgumentsForAMinute or AnswerModel.Tool or AnswerModel.ToolForAMinute when tool is null:
                // Not offered for a change, and not where there is no definition to bind it to.
                return no;
            case AnswerModel.TheseArguments or AnswerModel.Tool or AnswerModel.Never:
                _grants.Add(new Grant(answer, (server, call.Kind, call.Target), tool?.Definition, call.ArgumentsKey, by, _now + Session, true));
                return answer == AnswerModel.Never ? no : null;
            case AnswerModel.TheseArgumentsForAMinute:
                _grants.Add(new Grant(AnswerModel.TheseArguments, (server, call.Kind, call.Target), tool?.Definition, call.ArgumentsKey, by, _now + TimeSpan.FromMinutes(1), false));
                return null;
            case AnswerModel.ToolForAMinute:
                _grants.Add(new Grant(AnswerModel.Tool, (server, call.Kind, call.Target), tool?.Definition, call.ArgumentsKey, by, _now + TimeSpan.FromMinutes(1), false));
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

    private sealed record Grant(
        AnswerModel Kind, (string Server, TargetModel Kind, string Name) Target, string? Definition, string Arguments, CallerModel By, TimeSpan Until, bool IsOfSession)
    {
        public bool Covers(Step.Call step, string? definition, TimeSpan now) =>
            Kind is AnswerModel.Tool or AnswerModel.TheseArguments
            && Target == (step.Server, step.What.Kind, step.What.Target)
            && Definition == definition
            && now < Until
            && (IsOfSession ? By == step.By : IsSameUser(By, step.By))
            && (Kind == AnswerModel.Tool || Arguments == step.What.ArgumentsKey);
    }
}
