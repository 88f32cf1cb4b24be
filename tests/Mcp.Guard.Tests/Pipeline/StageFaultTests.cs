using Mcp.Guard.Pipeline;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>Whatever a stage does instead of deciding, nothing reaches the server and the audit says why.</summary>
[TestFixture]
internal sealed class StageFaultTests
{
    private static readonly string[] Places =
    [
        GuardStages.KillSwitch, GuardStages.Methods, GuardStages.Caller, GuardStages.Rules, GuardStages.ToolPinning, GuardStages.Schema,
        GuardStages.Roots, GuardStages.Urls, GuardStages.Budgets, GuardStages.RateLimit, GuardStages.Consent,
    ];

    private static IEnumerable<TestCaseData> Faults()
    {
        foreach (string place in Places)
        {
            foreach (string fault in (string[])["throw", "throw-later", "hang", "hang-thread", "default", "cancel"])
            {
                yield return new TestCaseData(place, fault);
            }
        }
    }

    [TestCaseSource(nameof(Faults))]
    public async Task CallTool_StageFaults_NothingReachesTheServer(string place, string fault)
    {
        using var release = new ManualResetEventSlim();
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), builder => builder
            .UseStageDeadline(TimeSpan.FromMilliseconds(150))
            .AddStage(new FaultyStage(fault, release), before: place));
        await using McpClient client = await guard.ConnectAsync(server);
        try
        {
            CallToolResult result = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["a"] = 1 });

            Assert.Multiple(() =>
            {
                Assert.That(server.Calls, Is.Empty);
                Assert.That(result.IsError, Is.True);
                Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("[guard-fault]"));
                AuditRecord denial = guard.Audit.OfKind(AuditKind.Denial).Single(record => record.Method == "tools/call");
                Assert.That(denial.Code, Is.EqualTo(GuardDenialCodes.GuardFault));
                Assert.That(denial.Stage, Is.EqualTo("faulty"));
                Assert.That(denial.Reason, Is.Not.Empty);
                Assert.That(guard.Audit.OfKind(AuditKind.Intent).Where(record => record.Method == "tools/call"), Is.Empty);
            });
        }
        finally
        {
            release.Set();
        }
    }

    [Test]
    public async Task CallTool_AuditFailsForTheIntent_DeniedAndNothingReachesTheServer()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        guard.Audit.Before = (record, _) => record.Kind == AuditKind.Intent ? throw new IOException("disk full") : default;

        CallToolResult result = await client.CallToolAsync("echo");

        Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("[audit-unavailable]").And.Not.Contain("disk full"));
        Assert.That(server.Calls, Is.Empty);
    }

    [Test]
    public async Task CallTool_AuditFailsForTheOutcome_CallerLearnsThatTheCallMayHaveHappened()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        guard.Audit.Before = (record, _) => record.Kind == AuditKind.Outcome ? throw new IOException("disk full") : default;

        CallToolResult result = await client.CallToolAsync("echo");

        Assert.That(server.Calls, Has.Count.EqualTo(1));
        Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("may have been carried out"));
    }

    [Test]
    public async Task CallTool_CallerCancelsWhileAStageWaits_CancellationPropagates()
    {
        using var release = new ManualResetEventSlim();
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), builder => builder
            .UseStageDeadline(TimeSpan.FromSeconds(60))
            .AddStage(new FaultyStage("hang", release), before: GuardStages.Schema));
        await using McpClient client = await guard.ConnectAsync(server);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        Assert.That(async () => await client.CallToolAsync("echo", cancellationToken: cancel.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(server.Calls, Is.Empty);
    }

    [Test]
    public void DefaultValues_OfEveryDecision_Deny()
    {
        Assert.Multiple(() =>
        {
            Assert.That(default(GuardDecision).Kind, Is.EqualTo(GuardDecisionKind.Deny));
            Assert.That(default(GuardDecision).Code, Is.EqualTo(GuardDenialCodes.GuardFault));
            Assert.That(default(GuardResult).IsAllowed, Is.False);
            Assert.That(default(RootDecision).IsAllowed, Is.False);
            Assert.That(default(RateLimitLease).IsAdmitted, Is.False);
            Assert.That(default(SchemaCompilation).IsCompiled, Is.False);
            Assert.That(default(ToolPinState), Is.EqualTo(ToolPinState.Unavailable));
            Assert.That(default(PinnedCatalogStatus), Is.EqualTo(PinnedCatalogStatus.Unavailable));
            Assert.That(default(ConsentAnswerKind), Is.EqualTo(ConsentAnswerKind.Deny));
            Assert.That(default(Mcp.Guard.Policy.RuleVerdict).Effect, Is.EqualTo(Mcp.Guard.Policy.RuleEffect.Deny));
            Assert.That(default(RequestKind), Is.EqualTo(RequestKind.Unknown));
        });
    }

    private sealed class FaultyStage(string fault, ManualResetEventSlim release) : IGuardStage<GuardRequestContext>
    {
        public string Name => "faulty";

        public async ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct)
        {
            if (context.Method != "tools/call")
            {
                return GuardDecision.Continue;
            }

            switch (fault)
            {
                case "throw":
                    throw new InvalidOperationException("secret text of the stage");
                case "throw-later":
                    await Task.Yield();
                    throw new InvalidOperationException("secret text of the stage");
                case "hang":
                    await Task.Delay(Timeout.InfiniteTimeSpan, ct);
                    return GuardDecision.Continue;
                case "hang-thread":
                    release.Wait(CancellationToken.None);
                    return GuardDecision.Continue;
                case "cancel":
                    throw new OperationCanceledException();
                default:
                    return default;
            }
        }
    }
}
