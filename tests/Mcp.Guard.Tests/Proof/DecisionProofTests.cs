using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Tests.Proof;

/// <summary>
/// What the library promises of decisions, on random policies and calls: 2,000 scenarios of up to twelve steps, 100,000 where MCP_GUARD_LONG is set. The
/// reference was written from the documents; a disagreement is a fault of the library or of a document, and becomes a named case below.
/// </summary>
[TestFixture]
internal sealed class DecisionProofTests : IDisposable
{
    private static readonly CallerModel Lister = new("lister", "s");

    private static readonly string[] Places =
    [
        GuardStages.KillSwitch, GuardStages.Methods, GuardStages.Caller, GuardStages.Rules, GuardStages.ToolPinning, GuardStages.Schema,
        GuardStages.Roots, GuardStages.Urls, GuardStages.Budgets, GuardStages.RateLimit, GuardStages.Consent,
    ];

    private readonly TemporaryFolder _folder = new();

    private string Root => Directory.CreateDirectory(_folder.File("root")).FullName;

    public void Dispose() => _folder.Dispose();

    [Test]
    public void RandomScenarios_PipelineAndReference_DecideTheSame() =>
        Prop.ForAll(Scenarios.Any, scenario => Throw(CompareAsync(scenario, new PipelineDecider(Guarded(scenario.Policies))))).Check(Properties.Config());

    [Test]
    public void RandomScenarios_GuardedTransportAndReference_DecideTheSame() =>
        Prop.ForAll(Scenarios.Any, scenario => Throw(CompareAsync(scenario.OfToolsOfOneServer(), new TransportDecider(Guarded(scenario.OfToolsOfOneServer().Policies))))).Check(Properties.Config(500, 10_000));

    [Test]
    public void NoRule_MeansAsk() => Prop.ForAll(Scenarios.WithoutLimits, scenario => Throw(NoRuleAsync(scenario))).Check(Properties.Config(2_000, 20_000));

    [Test]
    public void AddedDeny_NeverAllows() =>
        Prop.ForAll(Scenarios.WithoutLimits, Arb.From(Gen.Elements("read_*", "*", "move", "*_file")), (scenario, pattern) => Throw(AddedDenyAsync(scenario, pattern)))
            .Check(Properties.Config(1_000, 20_000));

    [Test]
    public void OrderOfRules_IsIrrelevant() => Prop.ForAll(Scenarios.Any, scenario => Throw(OtherOrderAsync(scenario))).Check(Properties.Config(1_000, 20_000));

    [Test]
    public void DefaultAndFault_Deny() =>
        Prop.ForAll(Scenarios.WithoutLimits, Arb.From(Gen.Choose(0, 3)), Arb.From(Gen.Elements(Places)), (scenario, fault, place) => Throw(FaultAsync(scenario, fault, place)))
            .Check(Properties.Config(1_000, 20_000));

    [Test]
    public void EveryDecision_IsInTheLog() => Prop.ForAll(Scenarios.Any, scenario => Throw(RecordsAsync(scenario))).Check(Properties.Config(1_000, 20_000));

    private static void Throw(Task<string?> difference)
    {
        if (difference.GetAwaiter().GetResult() is { } text)
        {
            throw new InvalidOperationException(text);
        }
    }

    private static async Task<string?> CompareAsync(Scenario scenario, IDecider decider)
    {
        await using (decider)
        {
            var reference = new ReferenceDecider(scenario.Policies);
            foreach (var (server, tools) in scenario.FirstLists)
            {
                reference.List(server, tools, Lister);
                await decider.ListAsync(server, tools, Lister);
            }

            foreach (Step step in scenario.Steps)
            {
                if (step is Step.Call call)
                {
                    Verdict expected = reference.Decide(call);
                    Verdict verdict = await decider.DecideAsync(call);
                    AuditRecord last = LastDecision(decider, call);
                    if (verdict != expected)
                    {
                        return $"the library says {verdict} ({last.Stage}: {last.Reason}), the reference {expected}: {step}";
                    }

                    if (Unrecorded(decider, last.DecisionId, verdict) is { } missing)
                    {
                        return $"{missing}: {step}";
                    }
                }
                else if (await StepAsync(step, decider, reference) is { } difference)
                {
                    return difference;
                }
            }

            return null;
        }
    }

    private static async Task<string?> StepAsync(Step step, IDecider decider, ReferenceDecider? reference)
    {
        IMcpGuard guard = decider.Guard.Guard;
        switch (step)
        {
            case Step.Wait wait:
                reference?.Wait(wait.Time);
                decider.Guard.Time.Advance(wait.Time);
                return null;
            case Step.Halt halt:
                // A stop ends the running calls.
                for (int i = 0; i < 100; i++)
                {
                    reference?.End();
                    await decider.EndAsync();
                }

                reference?.Halt(halt.Scope);
                await guard.HaltAsync(halt.Scope, "a test says so");
                return null;
            case Step.Resume resume:
                reference?.Resume(resume.Scope);
                await guard.ResumeAsync(resume.Scope);
                return null;
            case Step.Lists lists:
                bool? expected = reference?.List(lists.Server, lists.Tools, Lister);
                bool passed = await decider.ListAsync(lists.Server, lists.Tools, Lister);
                return expected is null || expected == passed ? null : $"the list passes: {passed}, by the reference {expected}: {step}";
            default:
                reference?.End();
                await decider.EndAsync();
                return null;
        }
    }

    private static AuditRecord LastDecision(IDecider decider, Step.Call call) =>
        decider.Guard.Audit.Records.Last(record => record.Kind is AuditKind.Intent or AuditKind.Denial && record.Method == call.What.Method);

    /// <summary>One intent and no denial for what may go, one denial and no intent for what may not, and the question where one was asked.</summary>
    private static string? Unrecorded(IDecider decider, string decisionId, Verdict verdict)
    {
        AuditRecord[] records = [.. decider.Guard.Audit.Records.Where(record => record.DecisionId == decisionId)];
        int intents = records.Count(static record => record.Kind == AuditKind.Intent);
        AuditRecord[] denials = [.. records.Where(static record => record.Kind == AuditKind.Denial)];
        if (verdict.Code is null ? intents != 1 || denials.Length != 0 : intents != 0 || denials.Length != 1)
        {
            return $"{intents} intents and {denials.Length} denials on record";
        }

        if (verdict.Code is not null && denials[0].Code != verdict.Code)
        {
            return $"recorded as {denials[0].Code}";
        }

        return verdict.Asked && !records.Any(static record => record.Kind == AuditKind.Consent) ? "the question is not on record" : null;
    }

    private GuardUnderProof Guarded(IReadOnlyDictionary<string, PolicyModel> policies, Action<McpGuardBuilder>? configure = null) => new(policies, Root, configure);

    /// <summary>A call alone, of the first server, before anything else happened.</summary>
    private async Task<Verdict> AloneAsync(PolicyModel policy, IReadOnlyList<ToolModel> tools, Step.Call call, Action<McpGuardBuilder>? configure = null)
    {
        await using var decider = new PipelineDecider(Guarded(new Dictionary<string, PolicyModel> { ["test"] = policy }, configure));
        await decider.ListAsync("test", tools, Lister);
        return await decider.DecideAsync(call with { StaysOpen = false, Server = "test" });
    }

    private async Task<string?> NoRuleAsync(Scenario scenario)
    {
        PolicyModel policy = scenario.Policy with { Rules = [], Pins = [], Trusted = false, RequireCaller = false };
        foreach (Step.Call call in scenario.Steps.OfType<Step.Call>().Where(static call => call.What.Kind == TargetModel.Tool).Take(2))
        {
            Verdict verdict = await AloneAsync(policy, scenario.Tools, call);
            bool reaches = scenario.Tools.Any(tool => tool.Name == call.What.Target) && !call.What.IsMistyped && (call.What.Path is null || (policy.HasRoot && call.What.Path == PathModel.Inside));
            if (verdict.Asked != reaches || (verdict.Code is null && !verdict.Asked))
            {
                return $"{verdict}: {call}";
            }
        }

        return null;
    }

    private async Task<string?> AddedDenyAsync(Scenario scenario, string pattern)
    {
        PolicyModel stricter = scenario.Policy with { Rules = [.. scenario.Policy.Rules, new RuleModel("added", [pattern], "deny") { Resources = [pattern], Prompts = [pattern] }] };
        foreach (Step.Call call in scenario.Steps.OfType<Step.Call>().Take(2))
        {
            Verdict before = await AloneAsync(scenario.Policy, scenario.Tools, call);
            Verdict after = await AloneAsync(stricter, scenario.Tools, call);
            if ((after.Code is null && before.Code is not null) || (after.Asked && !before.Asked))
            {
                return $"{before}, with a deny more {after}: {call}";
            }

            if (pattern == "*" && after.Code is null)
            {
                return $"a deny of everything lets pass: {call}";
            }
        }

        return null;
    }

    private async Task<string?> OtherOrderAsync(Scenario scenario)
    {
        Scenario reversed = scenario with { Policy = Reversed(scenario.Policy), Other = scenario.Other is null ? null : Reversed(scenario.Other) };
        await using var one = new PipelineDecider(Guarded(scenario.Policies));
        await using var other = new PipelineDecider(Guarded(reversed.Policies));
        if (one.Guard.Guard.PolicyRevision != other.Guard.Guard.PolicyRevision)
        {
            return "another revision";
        }

        foreach (IDecider decider in (IDecider[])[one, other])
        {
            await ListAsync(decider, scenario);
        }

        foreach (Step step in scenario.Steps)
        {
            if (step is Step.Call call)
            {
                Verdict first = await one.DecideAsync(call);
                Verdict second = await other.DecideAsync(call);
                if (first != second)
                {
                    return $"{first}, in another order {second}: {call}";
                }
            }
            else
            {
                await StepAsync(step, one, null);
                await StepAsync(step, other, null);
            }
        }

        return null;
    }

    private static PolicyModel Reversed(PolicyModel policy) => policy with { Rules = [.. policy.Rules.Reverse()] };

    private static async Task ListAsync(IDecider decider, Scenario scenario)
    {
        foreach (var (server, tools) in scenario.FirstLists)
        {
            await decider.ListAsync(server, tools, Lister);
        }
    }

    private async Task<string?> FaultAsync(Scenario scenario, int fault, string place)
    {
        foreach (Step.Call call in scenario.Steps.OfType<Step.Call>().Take(2))
        {
            Verdict verdict = await AloneAsync(scenario.Policy, scenario.Tools, call, builder => builder.AddStage(new FaultyHostStage(fault), before: place));
            if (verdict.Code is null)
            {
                return $"passes with fault {fault} before {place}: {call}";
            }

            if (place == GuardStages.KillSwitch && verdict != new Verdict(GuardDenialCodes.GuardFault, false))
            {
                return $"{verdict}: {call}";
            }
        }

        return null;
    }

    private async Task<string?> RecordsAsync(Scenario scenario)
    {
        await using var decider = new PipelineDecider(Guarded(scenario.Policies));
        await ListAsync(decider, scenario);
        int allowed = 0, denied = 0;
        foreach (Step step in scenario.Steps)
        {
            if (step is Step.Call call)
            {
                Verdict verdict = await decider.DecideAsync(call);
                allowed += verdict.Code is null ? 1 : 0;
                denied += verdict.Code is null ? 0 : 1;
            }
            else
            {
                await StepAsync(step, decider, null);
            }
        }

        while (decider.HasOpenCalls)
        {
            await decider.EndAsync();
        }

        AuditRecord[] calls = [.. decider.Guard.Audit.Records.Where(static record => record.Method is "tools/call" or "resources/read" or "prompts/get")];
        int intents = calls.Count(static record => record.Kind == AuditKind.Intent), denials = calls.Count(static record => record.Kind == AuditKind.Denial);
        int outcomes = calls.Count(static record => record.Kind == AuditKind.Outcome);
        int ids = calls.Where(static record => record.Kind is AuditKind.Intent or AuditKind.Denial).Select(static record => record.DecisionId).Distinct(StringComparer.Ordinal).Count();
        return (intents, denials, outcomes, ids) == (allowed, denied, allowed, allowed + denied)
            ? null
            : $"{allowed} allowed and {denied} denied; on record {intents} intents, {outcomes} outcomes, {denials} denials of {ids} decisions";
    }
}
