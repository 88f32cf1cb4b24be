using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Budgets;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>Deadlines, progress, sampling chains and the end of a disobedient server, through the transport.</summary>
[TestFixture]
internal sealed class DeadlineAndChainTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    private static GuardedTransport TransportOf(GuardFixture guard) => guard.Host.Runtime.Connections.All.Single();

    [TestCase(true)]
    [TestCase(false)]
    public async Task Progress_ExtendsTheDeadlineOnlyWhereTheRuleSaysSoAndToItsCap(bool extends)
    {
        var time = new FakeTimeProvider();
        var server = new RawServer { OnCall = (_, _, _) => Task.CompletedTask };
        await using var guard = new GuardFixture(
            settings => settings.Allow("slow", rule => _ = extends ? rule.Tools("echo").Timeout(10 * Second, 25 * Second) : rule.Tools("echo").Timeout(10 * Second)),
            builder => builder.UseTimeProvider(time));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        int seen = 0;
        Task<CallToolResult> call = client.CallToolAsync(
            "echo", new Dictionary<string, object?>(), progress: new Direct(() => Interlocked.Increment(ref seen))).AsTask();
        await Eventually.True(() => server.Calls.Count == 1);
        JsonNode token = server.Calls[0].Params!["_meta"]!["progressToken"]!;

        int seconds = 0;
        while (TransportOf(guard).OpenCalls > 0 && seconds < 60)
        {
            time.Advance(5 * Second);
            seconds += 5;
            if (TransportOf(guard).OpenCalls > 0)
            {
                int before = Volatile.Read(ref seen);
                server.Send(new JsonRpcNotification
                {
                    Method = "notifications/progress",
                    Params = new JsonObject { ["progressToken"] = token.DeepClone(), ["progress"] = seconds },
                });
                await Eventually.True(() => Volatile.Read(ref seen) > before);
            }
        }

        Assert.That(TextOf(await call), Does.Contain("[timeout]"));
        Assert.That(seconds, Is.EqualTo(extends ? 25 : 10));
    }

    [Test]
    public async Task CallsInsideSampling_CountAgainstTheRootAndEndAtTheBudget()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(settings => GuardFixture.AllowAll("echo")(settings.With("budgets", """{"repeats":{"permits":1000,"per":"1s"}}""")));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        CallChain root = CallChain.NewRoot();
        CallChain sampling = CallChain.ForSampling(root, CallChainLimits.Default)!;
        var texts = new List<string>();
        using (sampling.Enter())
        {
            for (int i = 0; i < 20; i++)
            {
                texts.Add(TextOf(await client.CallToolAsync("echo")));
            }
        }

        Assert.Multiple(() =>
        {
            Assert.That(texts.Count(text => text.Contains("[budget-spent]", StringComparison.Ordinal)), Is.EqualTo(5), "16 in all, of which the sampling request is one");
            Assert.That(server.Calls, Has.Count.EqualTo(15));
            Assert.That(root.Caused, Is.EqualTo(16));
        });
        Assert.That(TextOf(await client.CallToolAsync("echo")), Does.Not.Contain("[budget-spent]"), "a call outside is a root of its own");
    }

    [Test]
    public async Task SamplingInsideSampling_IsRefusedAsTooDeep()
    {
        var server = new RawServer
        {
            OnCall = (request, raw, _) =>
            {
                raw.Send(new JsonRpcRequest
                {
                    Id = new RequestId("s1"),
                    Method = "sampling/createMessage",
                    Params = new JsonObject { ["messages"] = new JsonArray(), ["maxTokens"] = 5 },
                });
                return Task.CompletedTask;
            },
        };
        await using var guard = new GuardFixture(settings => GuardFixture.AllowAll("echo")(settings.With("sampling", """{"allow":true}""")));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        using (CallChain.ForSampling(CallChain.NewRoot(), CallChainLimits.Default)!.Enter())
        {
            _ = client.CallToolAsync("echo").AsTask();
            await Eventually.True(() => guard.Audit.OfKind(AuditKind.ServerMessage).Any(record => record.Method == "sampling/createMessage"));
        }

        Assert.That(guard.Audit.OfKind(AuditKind.ServerMessage).Single(record => record.Method == "sampling/createMessage").Code, Is.EqualTo("budget-spent"));
    }

    [Test]
    public async Task InputRequiredSampling_CallsOfTheSameCaller_CountAgainstTheRoot()
    {
        var inputs = new SamplingInputs();
        var now = DateTimeOffset.UnixEpoch;
        var time = new FakeTimeProvider(now);
        var ada = new GuardCaller("ada", "s");
        Continuation input = Waiting(ada, now + Second);
        CallChain chain = CallChain.NewRoot();
        Assert.That(inputs.TryAdd(input, chain, now), Is.True);
        Assert.Multiple(() =>
        {
            Assert.That(inputs.CauseOf(ada, time), Is.SameAs(chain));
            Assert.That(inputs.CauseOf(new GuardCaller("eve", "s"), time), Is.Null);
            time.Advance(Second);
            Assert.That(inputs.CauseOf(ada, time), Is.Null, "given up");
        });
        for (int i = 1; i < 256; i++)
        {
            inputs.TryAdd(Waiting(ada, now + Second), chain, now);
        }

        Assert.That(inputs.TryAdd(Waiting(ada, now + Second), chain, now), Is.False, "bounded");
        Assert.That(inputs.TryAdd(Waiting(ada, now + 3 * Second), chain, now + Second), Is.True, "those that were given up leave");
        inputs.Remove(input);
        await Task.CompletedTask;
    }

    [Test]
    public async Task LaunchedServer_AnswersNothingAfterATimeout_IsEndedAndOpenCallsFail()
    {
        var time = new FakeTimeProvider();
        var server = new RawServer { OnCall = (_, _, _) => Task.CompletedTask, OnOther = (_, _) => Task.CompletedTask };
        var launched = new Launched(server);
        await using var guard = new GuardFixture(
            settings => settings
                .Allow("slow", rule => rule.Tools("echo").Timeout(10 * Second).RateLimit(100, Second))
                .Allow("slower", rule => rule.Tools("other").Timeout(60 * Second).RateLimit(100, Second)),
            builder => builder.UseTimeProvider(time));
        await using McpClient client = await guard.ConnectAsync(launched);
        await client.ListToolsAsync();
        Task<CallToolResult> slow = client.CallToolAsync("echo").AsTask();
        await Eventually.True(() => server.Calls.Count == 1);
        time.Advance(10 * Second);
        Assert.That(TextOf(await slow), Does.Contain("[timeout]"));
        await Eventually.True(() => server.Received.OfType<JsonRpcRequest>().Any(request => request.Method == "ping"));
        Task<CallToolResult> other = client.CallToolAsync("other").AsTask();
        await Eventually.True(() => server.Calls.Count == 2);
        Assert.That(guard.Guard.LoadOf("test"), Is.EqualTo(new ServerLoad(2, 0, 1)));
        time.Advance(ObedienceWatch.Grace);

        Assert.That(TextOf(await other), Does.Contain("[server-unavailable]"));
        await Eventually.True(() => launched.KilledAtOnce);
        await Eventually.True(() => guard.Guard.LoadOf("test") == default);
        await Eventually.True(() => guard.Audit.OfKind(AuditKind.Connection).Any(record => record.Decision == "end"));
        Assert.That(guard.Audit.OfKind(AuditKind.Connection).Single(record => record.Decision == "end").Reason, Does.Contain("answered nothing"));
        Assert.That(async () => await client.CallToolAsync("echo"), Throws.Exception);
    }

    [Test]
    public async Task LaunchedServer_PassesItsMemoryLimit_IsEndedRecordedAndInTheHealth()
    {
        var server = new RawServer { OnCall = (_, _, _) => Task.CompletedTask };
        var launched = new Launched(server);
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(launched);
        await client.ListToolsAsync();
        Task<CallToolResult> call = client.CallToolAsync("echo").AsTask();
        await Eventually.True(() => server.Calls.Count == 1);
        launched.PassLimit("its 2 processes hold too much");
        Assert.That(TextOf(await call), Does.Contain("[server-unavailable]"));
        Assert.That(launched.KilledAtOnce, Is.True);
        await Eventually.True(() => guard.Audit.OfKind(AuditKind.Connection).Any(record => record.Decision == "end"));
        AuditRecord end = guard.Audit.OfKind(AuditKind.Connection).Single(record => record.Decision == "end");
        HealthCheckResult health = await new ServersHealthCheck(guard.Host).CheckHealthAsync(new HealthCheckContext());
        Assert.Multiple(() =>
        {
            Assert.That(end.Reason, Does.Contain("its 2 processes hold too much"));
            Assert.That(end.Code, Is.EqualTo(GuardDenialCodes.ServerUnavailable));
            Assert.That(health.Status, Is.EqualTo(HealthStatus.Degraded));
            Assert.That(health.Data["test.overLimit"], Is.EqualTo(1));
        });
    }

    [Test]
    public async Task LaunchedServer_CallerCancels_IsNotProbed()
    {
        var time = new FakeTimeProvider();
        var server = new RawServer { OnCall = (_, _, _) => Task.CompletedTask, OnOther = (_, _) => Task.CompletedTask };
        var launched = new Launched(server);
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), builder => builder.UseTimeProvider(time));
        await using McpClient client = await guard.ConnectAsync(launched);
        await client.ListToolsAsync();
        using var cancel = new CancellationTokenSource();
        Task<CallToolResult> call = client.CallToolAsync("echo", cancellationToken: cancel.Token).AsTask();
        await Eventually.True(() => server.Calls.Count == 1 && TransportOf(guard).OpenCalls == 1);
        await cancel.CancelAsync();
        Assert.That(async () => await call, Throws.InstanceOf<OperationCanceledException>());
        await Eventually.True(() => server.Received.OfType<JsonRpcNotification>().Any(sent => sent.Method == "notifications/cancelled"));
        Assert.That(TransportOf(guard).OpenCalls, Is.Zero);
        time.Advance(20 * Second);
        Assert.That(server.Received.OfType<JsonRpcRequest>().Any(request => request.Method == "ping"), Is.False);
        Assert.That(launched.KilledAtOnce, Is.False);
    }

    [Test]
    public async Task CallerCancels_AfterTheReply_ServerIsNotTold()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        using var cancel = new CancellationTokenSource();
        Assert.That(TextOf(await client.CallToolAsync("echo", cancellationToken: cancel.Token)), Is.EqualTo("{}"));
        await cancel.CancelAsync();
        Assert.That(TextOf(await client.CallToolAsync("echo")), Is.EqualTo("{}"));
        Assert.That(server.Received.OfType<JsonRpcNotification>().Any(sent => sent.Method == "notifications/cancelled"), Is.False);
        Assert.That(guard.Audit.OfKind(AuditKind.Outcome).Any(record => record.Decision == "cancelled"), Is.False);
    }

    [Test]
    public async Task NotificationFlood_IsBoundedAndCallsGoOn()
    {
        var time = new FakeTimeProvider();
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), builder => builder.UseTimeProvider(time));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        for (int i = 0; i < 40_000; i++)
        {
            server.Send(new JsonRpcNotification { Method = "notifications/message", Params = new JsonObject { ["level"] = "info", ["data"] = "x" } });
        }

        Assert.That(TextOf(await client.CallToolAsync("echo")), Is.EqualTo("{}"));
        GuardedTransport transport = TransportOf(guard);
        Assert.That(transport.Refused[RefusalReason.Overflow], Is.GreaterThan(37_000));
        await guard.Host.Audit.Gate.FlushAsync();
        AuditRecord[] records = [.. guard.Audit.OfKind(AuditKind.ServerMessage)];
        Assert.That(records, Has.Length.LessThan(150), "a flood does not fill the audit");
        Assert.That(records.Sum(static record => record.Count), Is.EqualTo(40_000), "and each message is a record or in a count");
    }

    private static Continuation Waiting(GuardCaller caller, DateTimeOffset until) => new()
    {
        Caller = caller,
        Questions = new Dictionary<string, ServerRequestContext>(),
        Method = "tools/call",
        Target = "echo",
        ArgumentsDigest = "d",
        Fingerprint = null,
        RequestState = null,
        Admitted = new Dictionary<string, string>(),
        Round = 1,
        ConsentNote = null,
        RootDecisionId = "r",
        Chain = null,
        ExpiresAt = until,
    };

    private sealed class Direct(Action report) : IProgress<ModelContextProtocol.ProgressNotificationValue>
    {
        public void Report(ModelContextProtocol.ProgressNotificationValue value) => report();
    }

    /// <summary>A raw server as if the guard had started its process.</summary>
    private sealed class Launched(RawServer server) : IClientTransport, ITransport, ILaunchedServer
    {
        private Action<string>? _told;

        public bool KilledAtOnce { get; private set; }

        public string Name => server.Name;

        public string? SessionId => null;

        public ChannelReader<JsonRpcMessage> MessageReader => server.MessageReader;

        public Task<ITransport> ConnectAsync(CancellationToken cancellationToken = default) => Task.FromResult<ITransport>(this);

        public Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default) => server.SendMessageAsync(message, cancellationToken);

        public Task EndAsync(bool atOnce)
        {
            KilledAtOnce |= atOnce;
            return Task.CompletedTask;
        }

        public void OnOverLimit(Action<string> told) => _told = told;

        public void PassLimit(string reason) => _told!(reason);

        public ValueTask DisposeAsync() => server.DisposeAsync();
    }
}
