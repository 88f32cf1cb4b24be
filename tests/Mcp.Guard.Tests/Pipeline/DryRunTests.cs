using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Testing;
using Mcp.Guard.Tests.Stages.Consent;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>What a dry run lets pass, and what it never does, stage by stage.</summary>
[TestFixture]
internal sealed class DryRunTests
{
    private static string TextOf(CallToolResult result) => string.Join('\n', result.Content.OfType<TextContentBlock>().Select(block => block.Text));

    private static GuardFixture Dry(Action<GuardServerBuilder> server, Action<McpGuardBuilder>? configure = null) => new(server, guard =>
    {
        guard.RunDry();
        configure?.Invoke(guard);
    });

    private static AuditRecord[] Passed(GuardFixture guard) => [.. guard.Audit.Records.Where(record => record.Decision is "would-deny" or "would-ask")];

    private static async Task<string> CallAsync(GuardFixture guard, RawServer server, string tool = "echo", Dictionary<string, object?>? arguments = null)
    {
        await using McpClient client = await guard.ConnectAsync(server);
        return TextOf(await client.CallToolAsync(tool, arguments ?? []));
    }

    // ---- what passes ------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Rules_Deny_PassesRecordedAndListed()
    {
        var server = new RawServer();
        await using GuardFixture guard = Dry(settings => settings.Deny("no", "echo"));
        await using McpClient client = await guard.ConnectAsync(server);

        Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Does.Contain("echo"), "what passes is shown");
        Assert.That((await client.CallToolAsync("echo")).IsError, Is.Not.True);

        AuditRecord would = Passed(guard).Single(record => record.Decision == "would-deny");
        AuditRecord intent = guard.Audit.Records.Single(record => record is { Kind: AuditKind.Intent, Method: "tools/call" });
        Assert.Multiple(() =>
        {
            Assert.That((would.Code, would.Stage, would.Rule, would.DecisionId), Is.EqualTo(("rule-denied", "rules", "no", intent.DecisionId)));
            Assert.That(intent.Reason, Does.StartWith("dry run, passed: rules:rule-denied"));
            Assert.That(guard.Audit.Records.Where(record => record.PolicyRevision is not null).Select(record => record.PolicyRevision), Has.All.StartsWith(DryRun.Mark));
            Assert.That(guard.Audit.Records.Single(record => record.Kind == AuditKind.Start).Reason, Does.Contain("DRY RUN"));
        });
    }

    [Test]
    public async Task Rules_RequiredArguments_Pass()
    {
        var server = new RawServer();
        await using GuardFixture guard = Dry(settings => settings.With("rules", """{"r":{"tools":["echo"],"effect":"allow","require":{"properties":{"a":{"const":1}}}}}"""));
        Assert.That(await CallAsync(guard, server, arguments: new() { ["a"] = 2 }), Does.Contain("2"));
        Assert.That(Passed(guard).Single().Code, Is.EqualTo("arguments-invalid"));
    }

    [TestCase("ask")]
    [TestCase("default")]
    public async Task Consent_OfRulesAndDefault_NobodyIsAsked(string by)
    {
        var server = new RawServer();
        await using GuardFixture guard = Dry(settings =>
        {
            if (by == "ask")
            {
                settings.Ask("ask", "echo");
            }
        });
        Assert.That(await CallAsync(guard, server), Is.EqualTo("{}"));
        Assert.That(Passed(guard).Single().Decision, Is.EqualTo("would-ask"));
        Assert.That(guard.Consent.Requests, Is.Empty);
    }

    [Test]
    public async Task Rate_BeyondTheLimit_Passes()
    {
        var server = new RawServer();
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using GuardFixture guard = Dry(settings => settings.Allow("all", "*"), builder => builder.UseTimeProvider(time));
        await using McpClient client = await guard.ConnectAsync(server);
        for (int i = 0; i < 5; i++)
        {
            Assert.That((await client.CallToolAsync("echo")).IsError, Is.Not.True);
        }

        Assert.That(Passed(guard).Select(record => record.Code), Is.EqualTo((string[])["rate-limited", "rate-limited"]));
    }

    [Test]
    public async Task Budget_Spent_Passes()
    {
        var server = new RawServer();
        await using GuardFixture guard = Dry(settings => settings.Allow("all", "*").With("budgets", """{"calls":1}"""));
        await using McpClient client = await guard.ConnectAsync(server);
        for (int i = 0; i < 2; i++)
        {
            Assert.That((await client.CallToolAsync("echo")).IsError, Is.Not.True);
        }

        Assert.That(Passed(guard).Select(record => record.Code), Has.Some.EqualTo("budget-spent").And.All.EqualTo("budget-spent"));
    }

    // ---- what does not ----------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Admission_UnknownServer_Denied()
    {
        await using GuardFixture guard = Dry(settings => settings.Allow("all", "*"));
        Assert.That(async () => await guard.Guard.ConnectAsync("other"), Throws.TypeOf<McpGuardException>().With.Property("Code").EqualTo("server-not-allowed"));
    }

    [Test]
    public async Task Roots_PathOutside_Denied()
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo", """{"type":"object","properties":{"path":{"type":"string"}}}""")] };
        await using GuardFixture guard = Dry(settings => settings.Allow("all", "*"));
        Assert.That(await CallAsync(guard, server, arguments: new() { ["path"] = "/etc/passwd" }), Does.Contain("[path-outside-roots]"));
        Assert.That(server.Calls, Is.Empty);
    }

    [Test]
    public async Task Schema_InvalidArguments_Denied()
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo", """{"type":"object","properties":{"n":{"type":"number"}}}""")] };
        await using GuardFixture guard = Dry(settings => settings.Allow("all", "*"));
        Assert.That(await CallAsync(guard, server, arguments: new() { ["n"] = "text" }), Does.Contain("[arguments-invalid]"));
        Assert.That(server.Calls, Is.Empty);
    }

    [Test]
    public async Task Pins_ChangedTool_AsksAPersonAndTheirNoStands()
    {
        var pins = new Mcp.Guard.Stages.ToolPinning.InMemoryPinStore();
        var server = new RawServer();
        await using (GuardFixture before = Dry(settings => settings.Allow("all", "*"), builder => builder.UsePinStore(_ => pins)))
        {
            Assert.That(await CallAsync(before, server), Is.EqualTo("{}"));
        }

        var changed = new RawServer { Tools = [RawServer.Tool("echo", """{"type":"object","properties":{"new":{"type":"string"}}}""")] };
        await using GuardFixture guard = Dry(settings => settings.Allow("all", "*"), builder => builder.UsePinStore(_ => pins));
        Assert.That(await CallAsync(guard, changed), Does.Contain("[tool-changed]"));
        Assert.That(changed.Calls, Is.Empty);
    }

    [Test]
    public async Task Pins_UnknownTool_Denied()
    {
        var server = new RawServer();
        await using GuardFixture guard = Dry(settings => settings.Allow("all", "*"));
        Assert.That(await CallAsync(guard, server, "absent"), Does.Contain("[tool-unknown]"));
    }

    [Test]
    public async Task Caller_Required_Denied()
    {
        var server = new RawServer();
        await using GuardFixture guard = Dry(settings => settings.Allow("all", "*").With("requireCaller", "true"));
        Assert.That(await CallAsync(guard, server), Does.Contain("[caller-required]"));
    }

    [Test]
    public async Task Stop_Set_Denied()
    {
        var server = new RawServer();
        await using GuardFixture guard = Dry(settings => settings.Allow("all", "*"));
        await using McpClient client = await guard.ConnectAsync(server);
        await guard.Guard.HaltAsync(HaltScope.Everything, "test");
        Assert.That(TextOf(await client.CallToolAsync("echo")), Does.Contain("[halted]"));
    }

    [Test]
    public async Task HostStage_DenyOrFault_Stands()
    {
        var server = new RawServer();
        await using GuardFixture guard = Dry(settings => settings.Allow("all", "*"), builder => builder.AddStage(new Denying(), before: GuardStages.Consent));
        Assert.That(await CallAsync(guard, server), Does.Contain("[rule-denied]"), "the code of a rule, but not of the rules");
    }

    [Test]
    public async Task Audit_CannotTakeTheWord_DoesNotPass()
    {
        var server = new RawServer();
        var services = new GuardFixture(settings => settings.Deny("no", "echo"), guard => guard.RunDry());
        await using (services)
        {
            services.Audit.Before = (record, _) => record.Decision == "would-deny" ? throw new IOException("full") : default;
            Assert.That(await CallAsync(services, server), Does.Contain("[audit-unavailable]"));
            Assert.That(server.Calls, Is.Empty);
        }
    }

    [Test]
    public void Covers_EveryBuiltInStageAndCode_OnlyRulesRatesAndBudgets()
    {
        string[] codes = [.. typeof(GuardDenialCodes).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!)];
        string[] stages = [.. typeof(GuardStages).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!)];
        string[] covered = [.. from stage in stages from code in codes where DryRun.Covers(stage, GuardDecision.Deny(code, "x")) select $"{stage}:{code}"];
        Assert.That(covered, Is.EquivalentTo((string[])["rules:rule-denied", "rules:arguments-invalid", "budgets:budget-spent", "rate-limit:rate-limited"]));
        Assert.That(stages.Where(stage => DryRun.Covers(stage, GuardDecision.AskConsent("x", "y"))), Is.EquivalentTo((string[])["rules", "budgets"]));
        Assert.That(DryRun.Covers(GuardStages.Rules, default), Is.False);
    }

    [Test]
    public void Policy_AndPublicSurface_CannotSayIt()
    {
        foreach (string key in (string[])["dryRun", "dry-run", "dry_run"])
        {
            Assert.That(() => new GuardFixture(settings => settings.With(key, "true")), Throws.TypeOf<McpGuardPolicyException>());
        }

        Assert.That(typeof(McpGuardBuilder).GetMethods().Select(method => method.Name), Has.None.EqualTo(nameof(McpGuardBuilder.RunDry)), "not public");
    }

    // ---- what is recorded -------------------------------------------------------------------------------------------------------------------

    [TestCase(null, "destructive")]
    [TestCase("echo", "confirm-always")]
    public async Task PassConsent_DefaultQuestion_IsRecordedWithItsReason(string? harmless, string code)
    {
        var log = new WrittenLog();
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync(server => server.With("confirmation", "\"always\"").With("trusted", "true"));
        var dry = new DryRun(guard.Pipeline.Audit, log);
        RequestContext call = Unruled(guard);
        if (harmless is not null)
        {
            Assert.That(Passes(await dry.PassConsentAsync(guard.Request("tools/list", "{}"), default)), Is.True, "nobody would be asked");
            GuardEvaluation listing = await guard.Pipeline.EvaluateAsync(guard.Request("tools/list", "{}"), default);
            await listing.CompleteAsync(JsonElement.Parse("""{"tools":[{"name":"echo","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]}"""));
            call.Entry = guard.Connection.State.Tools.Find(harmless);
        }

        Assert.That(Passes(await dry.PassConsentAsync(call, default)), Is.True);
        AuditRecord record = guard.Guard.Audit.Records.Single(record => record.Decision == "would-ask");
        Assert.Multiple(() =>
        {
            Assert.That((record.Code, record.Stage, record.Reason), Is.EqualTo((code, GuardStages.Consent, "no rule allows the call")));
            Assert.That(call.PassedByDryRun, Is.EqualTo(new[] { "consent:" + code }));
            Assert.That(log.Lines.Single(), Does.StartWith("1051 ").And.Contains($"(would-ask: {code}, stage consent)"));
        });
    }

    [Test]
    public async Task PassConsent_AnotherStageAsked_APersonIsAsked()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        RequestContext call = guard.Request();
        call.Ask("tool-pinning", "tool-changed", "it changed");
        Assert.That(await new DryRun(guard.Pipeline.Audit, new WrittenLog()).PassConsentAsync(call, default), Is.Null);
        Assert.That(call.PassedByDryRun, Is.Null);
    }

    [TestCase(GuardDenialCodes.BudgetSpent, GuardStages.Budgets, true)]
    [TestCase(GuardDenialCodes.BudgetSpent, "acme", false)]
    [TestCase(GuardDenialCodes.TooManyCalls, "concurrency", false)]
    [TestCase(GuardDenialCodes.GuardFault, GuardStages.Budgets, false)]
    public async Task Relax_DenialRightBeforeACallLeaves_PassesOnlyASpentBudget(string code, string stage, bool passes)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        var dry = new DryRun(guard.Pipeline.Audit, new WrittenLog());
        var denial = new GuardDenial(code, stage, "the reason");
        RequestContext call = guard.Request();
        Assert.That(await dry.RelaxAsync(call, null, default), Is.Null);
        Assert.That(call.PassedByDryRun, Is.Null);
        Assert.That(await dry.RelaxAsync(call, denial, default), passes ? Is.Null : Is.EqualTo(denial));
        Assert.That(
            guard.Guard.Audit.Records.Where(record => record.Decision == "would-deny").Select(record => (record.Code, record.Stage, record.Reason)),
            passes ? Is.EqualTo(new[] { (code, stage, "the reason") }) : Is.Empty);
    }

    [Test]
    public async Task Relax_SeveralThatPass_AreAllListed()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        var dry = new DryRun(guard.Pipeline.Audit, new WrittenLog());
        RequestContext call = guard.Request();
        Assert.That((await dry.RelaxAsync(call, GuardStages.Rules, GuardDecision.Deny(GuardDenialCodes.RuleDenied, "r"), default)).Kind, Is.EqualTo(GuardDecisionKind.Continue));
        Assert.That((await dry.RelaxAsync(call, GuardStages.Rules, GuardDecision.AskConsent("ask", "r"), default)).Kind, Is.EqualTo(GuardDecisionKind.Continue));
        Assert.That(await dry.RelaxAsync(call, new GuardDenial(GuardDenialCodes.BudgetSpent, GuardStages.Budgets, "r"), default), Is.Null);
        Assert.That(call.PassedByDryRun, Is.EqualTo((string[])["rules:rule-denied", "rules:ask", "budgets:budget-spent"]));
        Assert.That(Passed(guard.Guard).Select(record => record.Decision), Is.EqualTo((string[])["would-deny", "would-ask", "would-deny"]));
    }

    [Test]
    public async Task AnyWay_AuditCannotTakeTheWord_IsDeniedAndLogged()
    {
        var log = new WrittenLog();
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync(_ => { });
        var dry = new DryRun(guard.Pipeline.Audit, log);
        RequestContext call = Unruled(guard);
        var denial = new GuardDenial(GuardDenialCodes.BudgetSpent, GuardStages.Budgets, "r");
        foreach (Exception fault in (Exception[])[new IOException("full"), new OperationCanceledException("of the sink's own")])
        {
            guard.Guard.Audit.Before = (_, _) => throw fault;
            GuardDecision consent = (await dry.PassConsentAsync(call, default))!.Value;
            GuardDecision rules = await dry.RelaxAsync(call, GuardStages.Rules, GuardDecision.Deny(GuardDenialCodes.RuleDenied, "r"), default);
            foreach (GuardDecision decision in (GuardDecision[])[consent, rules])
            {
                Assert.That((decision.Kind, decision.Code, decision.Reason), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.AuditUnavailable, "what a dry run lets pass could not be recorded")));
            }

            Assert.That(await dry.RelaxAsync(call, denial, default), Is.EqualTo(denial));
        }

        Assert.That(call.PassedByDryRun, Is.Null);
        Assert.That(log.Lines, Has.Count.EqualTo(6).And.All.StartsWith("1003 "));
    }

    [Test]
    public async Task AnyWay_CallerCancels_TheCancellationGoesOn()
    {
        var log = new WrittenLog();
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync(_ => { });
        using var cancel = new CancellationTokenSource();
        guard.Guard.Audit.Before = (_, _) =>
        {
            cancel.Cancel();
            throw new OperationCanceledException(cancel.Token);
        };
        var dry = new DryRun(guard.Pipeline.Audit, log);
        Assert.That(async () => await dry.PassConsentAsync(Unruled(guard), cancel.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(log.Lines, Is.Empty);
    }

    /// <summary>A call that the rules have judged, and none matched.</summary>
    private static RequestContext Unruled(ScriptedPipeline guard)
    {
        RequestContext call = guard.Request();
        call.SetVerdict(call.Settings!.ForTool(call.TargetName!).JudgeCall(call.Parameters));
        return call;
    }

    private static bool Passes(GuardDecision? decision) => decision is { Kind: GuardDecisionKind.Continue };

    private sealed class Denying : IGuardStage<GuardRequestContext>
    {
        public string Name => "denying";

        public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct) => new(context.Method == "tools/call" ? GuardDecision.Deny(GuardDenialCodes.RuleDenied, "the host says no") : GuardDecision.Continue);
    }
}
