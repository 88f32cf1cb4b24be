using Mcp.Guard.Pipeline;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>Whatever a stage does instead of deciding, nothing reaches the server and the audit says why.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)] // most of them wait for a deadline; none holds anything that another one sees
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
            .UseStageDeadline(Deadline(fault))
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

    // Only a stage that hangs is waited for; the others, on a busy machine too, are to fail by their fault and not by the time.
    private static TimeSpan Deadline(string fault) => fault.StartsWith("hang", StringComparison.Ordinal) ? TimeSpan.FromMilliseconds(750) : TimeSpan.FromSeconds(30);

    private static TestCaseData[] BuiltIn()
    {
        GuardFixture guard = new(GuardFixture.AllowAll("echo"));
        StageLists lists = guard.Host.Runtime.Pipeline.Stages;
        (string Kind, IEnumerable<string> Names)[] all =
        [
            (nameof(StageLists.Connection), lists.Connection.Select(slot => slot.Name)),
            (nameof(StageLists.Catalog), lists.Catalog.Select(slot => slot.Name)),
            (nameof(StageLists.Request), lists.Request.Select(slot => slot.Name)),
            (nameof(StageLists.Result), lists.Result.Select(slot => slot.Name)),
            (nameof(StageLists.ServerRequest), lists.ServerRequest.Select(slot => slot.Name)),
            (nameof(StageLists.Notification), lists.Notification.Select(slot => slot.Name)),
        ];
        TestCaseData[] cases =
        [
            .. from list in all
               from stage in list.Names
               from fault in (string[])["throw", "throw-later", "hang", "hang-thread", "default", "cancel"]
               select new TestCaseData(list.Kind, stage, fault),
        ];
        guard.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return cases;
    }

    [TestCaseSource(nameof(BuiltIn))]
    public async Task Message_StageOfTheGuardItselfFaults_NothingPasses(string list, string stage, string fault)
    {
        using var release = new ManualResetEventSlim();
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        Install(guard.Host.Runtime.Pipeline, list, stage, new FaultyStage(fault, release, stage, everything: list != nameof(StageLists.Request)));
        try
        {
            switch (list)
            {
                case nameof(StageLists.Connection):
                    Assert.That((await Assert.ThrowsAsync<McpGuardException>(() => guard.ConnectAsync(server)))!.Code, Is.EqualTo(GuardDenialCodes.GuardFault));
                    Assert.That(server.Received, Is.Empty);
                    return;

                case nameof(StageLists.Catalog):
                    await using (McpClient client = await guard.ConnectAsync(server))
                    {
                        Assert.That((await Assert.ThrowsAsync<McpGuardException>(async () => await client.ListToolsAsync()))!.Code, Is.EqualTo(GuardDenialCodes.GuardFault));
                        CallToolResult unlisted = await client.CallToolAsync("echo");
                        Assert.That(unlisted.IsError, Is.True, "a tool that could not be listed cannot be judged");
                        Assert.That(server.Calls, Is.Empty);
                    }

                    return;

                case nameof(StageLists.Request):
                    await using (McpClient client = await guard.ConnectAsync(server))
                    {
                        CallToolResult result = await client.CallToolAsync("echo");
                        AuditRecord denial = guard.Audit.OfKind(AuditKind.Denial).Single(record => record.Method == "tools/call");
                        Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("[guard-fault]"));
                        Assert.That((denial.Code, denial.Stage), Is.EqualTo((GuardDenialCodes.GuardFault, stage)));
                        Assert.That(server.Calls, Is.Empty);
                    }

                    return;

                case nameof(StageLists.Result):
                    // The handshake has a result too: with it goes the connection.
                    Assert.That((await Assert.ThrowsAsync<McpGuardException>(() => guard.ConnectAsync(server)))!.Code, Is.EqualTo(GuardDenialCodes.GuardFault));
                    return;

                default:
                    await MessagesOfTheServerAsync(guard, server);
                    return;
            }
        }
        finally
        {
            release.Set();
        }
    }

    /// <summary>A question and a notification of the server while a call runs: neither reaches the host.</summary>
    private static async Task MessagesOfTheServerAsync(GuardFixture guard, RawServer server)
    {
        var reached = new List<string>();
        server.OnCall = async (request, raw, _) =>
        {
            raw.Send(new ModelContextProtocol.Protocol.JsonRpcRequest { Id = new RequestId("q"), Method = "elicitation/create", Params = new System.Text.Json.Nodes.JsonObject { ["message"] = "?" } });
            raw.Send(new JsonRpcNotification { Method = "notifications/message", Params = new System.Text.Json.Nodes.JsonObject { ["level"] = "info", ["data"] = "x" } });
            await Eventually.True(() => raw.Received.OfType<JsonRpcResponse>().Any());
            raw.Reply(request.Id, RawServer.TextResult("done"));
        };
        await using McpClient client = await guard.ConnectAsync(server, new McpClientOptions
        {
            Handlers = new McpClientHandlers
            {
                ElicitationHandler = (_, _) =>
                {
                    reached.Add("elicitation");
                    return new(new ElicitResult { Action = "accept" });
                },
                NotificationHandlers = [new("notifications/message", (_, _) => { reached.Add("message"); return default; })],
            },
        });
        bool notifications = guard.Host.Runtime.Pipeline.Stages.Notification[0].Stage is FaultyStage;
        await client.CallToolAsync("echo");
        Assert.That(server.Received.OfType<JsonRpcResponse>().Single().Result!["action"]!.GetValue<string>(), Is.EqualTo("decline"));
        Assert.That(reached, notifications ? Is.Empty : Has.None.EqualTo("elicitation"));
    }

    /// <summary>Puts a stage in the place of one of the guard's own.</summary>
    private static void Install(GuardPipeline pipeline, string list, string name, FaultyStage stage)
    {
        StageLists lists = pipeline.Stages;
        switch (list)
        {
            case nameof(StageLists.Connection):
                Put(lists.Connection);
                break;
            case nameof(StageLists.Catalog):
                Put(lists.Catalog);
                break;
            case nameof(StageLists.Request):
                Put(lists.Request);
                break;
            case nameof(StageLists.Result):
                Put(lists.Result);
                break;
            case nameof(StageLists.ServerRequest):
                Put(lists.ServerRequest);
                break;
            default:
                Put(lists.Notification);
                break;
        }

        void Put<TContext>(StageSlot<TContext>[] slots)
            where TContext : GuardContext =>
            slots[Array.FindIndex(slots, slot => slot.Name == name)] = new StageSlot<TContext>(stage, TimeSpan.FromMilliseconds(500), TimeProvider.System, pipeline.Logger);
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

    private sealed class FaultyStage(string fault, ManualResetEventSlim release, string name = "faulty", bool everything = false) : IGuardStage<GuardContext>
    {
        public string Name => name;

        public async ValueTask<GuardDecision> EvaluateAsync(GuardContext context, CancellationToken ct)
        {
            if (!everything && context is not GuardRequestContext { Method: "tools/call" })
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

    [Test]
    public async Task CallerCancels_WhileTheCallIsCounted_SlotIsFree()
    {
        var store = new WaitingBudgets();
        await using var guard = new GuardFixture(
            server =>
            {
                server.Allow("all", rule => rule.Tools("echo"));
                server.With("maxConcurrentCalls", "1");
            },
            builder => builder.UseBudgetStore(_ => store));
        await using McpClient client = await guard.ConnectAsync(new RawServer());
        await client.ListToolsAsync();
        using var cancel = new CancellationTokenSource();
        store.Waits = true;
        Task<CallToolResult> call = client.CallToolAsync("echo", cancellationToken: cancel.Token).AsTask();
        await store.Waiting.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await cancel.CancelAsync();
        Assert.That(async () => await call, Throws.InstanceOf<OperationCanceledException>());
        store.Waits = false;
        await Eventually.True(() => guard.Host.Runtime.Pipeline.Gate.CountOf("test").Running == 0);
    }

    private sealed class WaitingBudgets : IBudgetStore
    {
        public volatile bool Waits;

        public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask<long> AddAsync(BudgetKey key, long amount, TimeSpan window, CancellationToken ct)
        {
            if (Waits && amount > 0)
            {
                Waiting.TrySetResult();
                await Task.Delay(Timeout.Infinite, ct);
            }

            return amount;
        }
    }
}
