using System.Collections;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Audit;
using Mcp.Guard.Hosting;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Mcp.Guard.Tests.Audit;

/// <summary>The audit as a part of the guard: floods, keys, further sinks, telemetry and health, through a whole connection.</summary>
[TestFixture]
internal sealed class AuditWiringTests
{
    private static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    private static Action<McpGuardBuilder> Flood(AuditFloodOptions options) => builder => builder.Parts.Flood = options;

    // ---- the host's own code --------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Record_RedactorOfTheHostHangs_OtherCallersGoOn()
    {
        using var gate = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var server = new RawServer
        {
            OnCall = static (request, server, _) =>
            {
                server.Reply(request.Id, RawServer.TextResult("done"));
                return Task.CompletedTask;
            },
        };
        await using var guard = new AuditFixture(configure: builder => builder.UseContentRedactor(text =>
        {
            if (text == "hang")
            {
                entered.Set();
                gate.Wait(TimeSpan.FromMinutes(2));
            }

            return text;
        }));
        await using McpClient client = await guard.ConnectAsync(server);
        Task<CallToolResult> hanging = Task.Run(async () => await client.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "hang" }));
        try
        {
            Assert.That(entered.Wait(TimeSpan.FromSeconds(60)), Is.True);
            CallToolResult other = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "fine" }).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.That(TextOf(other), Does.Contain("done"));
            Assert.That(server.Calls, Has.Count.EqualTo(1), "the other has no record yet, so it has not left");
        }
        finally
        {
            gate.Set();
        }

        Assert.That(TextOf(await hanging), Does.Contain("done"));
    }

    // Sinks may read a record when the host has long let go of what it gave: then the bytes may be another caller's.
    [Test]
    public async Task Complete_HostGivesItsDocumentBackToThePool_RecordKeepsTheResult()
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await guard.Host.StartAsync(default);
        GuardConnection connection = guard.Guard.OpenConnection("test");
        await CompleteAsync("tools/list", "{}"u8.ToArray(), """{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}""");
        await CompleteAsync("tools/call", """{"name":"echo","arguments":{}}"""u8.ToArray(), """{"content":[{"type":"text","text":"done"}]}""");
        AuditRecord outcome = guard.Audit.OfKind(AuditKind.Outcome).Single(static record => record.Method == "tools/call");
        Assert.Multiple(() =>
        {
            Assert.That(outcome.ResultDigest, Is.Not.Null);
            Assert.That(outcome.Result.ToString(), Does.Contain("done"));
        });

        async Task CompleteAsync(string method, byte[] parameters, string result)
        {
            await using GuardEvaluation evaluation = await guard.Guard.Policy.EvaluateAsync(connection.CreateRequest(method, parameters));
            Assert.That(evaluation.IsAllowed, Is.True, evaluation.Denial?.Reason);
            using JsonDocument given = JsonDocument.Parse(Encoding.UTF8.GetBytes(result));
            await evaluation.CompleteAsync(given.RootElement);
        }
    }

    // ---- floods -----------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task ServerFloods_EveryMessageIsOnRecordOrCountedAndTheServerIsDisconnected()
    {
        const int Limit = 300;
        var server = new RawServer();
        await using var guard = new GuardFixture(
            GuardFixture.AllowAll("echo"), Flood(new AuditFloodOptions { Quota = 20, RefusedBeforeDisconnect = Limit, Window = TimeSpan.FromMinutes(10) }));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.CallToolAsync("echo");
        GuardedTransport transport = guard.Host.Runtime.Connections.All.Single();

        for (int i = 0; i < Limit * 10; i++)
        {
            server.Send(new JsonRpcNotification { Method = $"notifications/\r\n{i % 3}" });
            if (i % 256 == 255)
            {
                // What lies unread in larger numbers is dropped unjudged.
                await Eventually.True(() => server.MessageReader.Count == 0 || guard.Host.Runtime.Connections.Count == 0);
            }
        }

        await Eventually.True(() => guard.Host.Runtime.Connections.Count == 0);
        await Eventually.True(() => guard.Audit.OfKind(AuditKind.Connection).Any(static record => record.Decision == "end"));
        long refused = transport.Refused.Total;
        await guard.Host.Audit.Gate.FlushAsync();
        AuditRecord[] messages = [.. guard.Audit.OfKind(AuditKind.ServerMessage).Where(static record => record.Decision == "drop")];

        Assert.Multiple(() =>
        {
            Assert.That(refused, Is.EqualTo(Limit), "nothing is judged after the one that was too much");
            Assert.That(messages.Sum(static record => record.Count), Is.EqualTo(refused), "each message is a record or in a count");
            Assert.That(messages, Has.Length.LessThanOrEqualTo(20 + 3), "the quota and one count for each kind of event");
            Assert.That(messages.Where(static record => record.Count > 1), Has.All.Matches<AuditRecord>(static record => record!.FirstTime is not null));
            Assert.That(async () => await client.CallToolAsync("echo", cancellationToken: new CancellationTokenSource(TimeSpan.FromSeconds(10)).Token), Throws.Exception, "the connection is over");
        });
    }

    [Test]
    public async Task ServerFloods_WithNotificationsThatAreLetThrough_CountedAndDisconnected()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(
            GuardFixture.AllowAll("echo"), Flood(new AuditFloodOptions { Quota = 5, DeliveredBeforeDisconnect = 100, Window = TimeSpan.FromMinutes(10) }));
        await using McpClient client = await guard.ConnectAsync(server);
        for (int i = 0; i < 1_000; i++)
        {
            server.Send(new JsonRpcNotification { Method = "notifications/tools/list_changed" });
            if (i % 256 == 255)
            {
                await Eventually.True(() => server.MessageReader.Count == 0 || guard.Host.Runtime.Connections.Count == 0);
            }
        }

        await Eventually.True(() => guard.Host.Runtime.Connections.Count == 0);
        await guard.Host.Audit.Gate.FlushAsync();
        Assert.That(
            guard.Audit.OfKind(AuditKind.ServerMessage).Where(static record => record.Decision == "deliver").Sum(static record => record.Count),
            Is.EqualTo(100));
    }

    [Test]
    public async Task CallerFloods_WithDeniedCalls_EveryDecisionIsCountedAndOtherCallsGoOn()
    {
        const int Calls = 500;
        var server = new RawServer();
        await using var guard = new GuardFixture(
            settings =>
            {
                GuardFixture.AllowAll("echo")(settings);
                settings.Deny("no", "other");
            },
            Flood(new AuditFloodOptions { Quota = 10, Window = TimeSpan.FromMinutes(10) }));
        await using McpClient client = await guard.ConnectAsync(server);
        for (int i = 0; i < Calls; i++)
        {
            Assert.That(TextOf(await client.CallToolAsync("other")), Does.Contain("decision 0"), "the caller gets an id of each");
        }

        Assert.That((await client.CallToolAsync("echo")).IsError, Is.Not.True);
        await guard.Host.Audit.Gate.FlushAsync();
        AuditRecord[] denials = [.. guard.Audit.OfKind(AuditKind.Denial)];
        AuditRecord counted = denials[^1];
        Assert.Multiple(() =>
        {
            Assert.That(server.Calls, Has.Count.EqualTo(1));
            Assert.That(denials, Has.Length.EqualTo(11));
            Assert.That(denials.Sum(static record => record.Count), Is.EqualTo(Calls));
            Assert.That(counted.Count, Is.EqualTo(Calls - 10));
            Assert.That((counted.Code, counted.Rule, counted.Target), Is.EqualTo((GuardDenialCodes.RuleDenied, "no", "other")));
            Assert.That(counted.FirstTime, Is.LessThanOrEqualTo(counted.Time));
            Assert.That(guard.Audit.OfKind(AuditKind.Intent).Count(static record => record.Method == "tools/call"), Is.EqualTo(1));
        });
    }

    [Test]
    public async Task FloodGate_LongTextsOfServers_AreNotHeld()
    {
        var written = new List<AuditRecord>();
        await using (var gate = new AuditFloodGate(new DelegateSink((record, _) => { written.Add(record); return default; }), new AuditFloodOptions { Quota = 0 }, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await gate.WriteAsync(
                new AuditRecord
                {
                    Kind = AuditKind.Denial,
                    Time = AuditSamples.Noon,
                    Method = new string('m', 100_000),
                    Target = new string('t', 100_000),
                    Reason = new string('r', 100_000),
                    Arguments = System.Text.Json.JsonDocument.Parse("""{"a":1}""").RootElement,
                },
                CancellationToken.None);
        }

        AuditRecord count = written.Single();
        Assert.That((count.Method!.Length, count.Target!.Length, count.Reason!.Length, count.Arguments.ValueKind), Is.EqualTo((256, 256, 256, System.Text.Json.JsonValueKind.Undefined)));
    }

    // ---- order ------------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Outcome_CannotBeWritten_CallerLearnsThatTheCallMayHaveHappened()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        guard.Audit.Before = static (record, _) => record.Kind == AuditKind.Outcome ? throw new IOException("disk full") : default;

        CallToolResult result = await client.CallToolAsync("echo");

        Assert.That(server.Calls, Has.Count.EqualTo(1));
        Assert.That(TextOf(result), Does.Contain("[audit-unavailable]").And.Contain("may have been carried out").And.Not.Contain("disk full"));
    }

    [Test]
    public async Task Outcome_OfACallWhoseSendingFails_CannotBeWritten_CallerIsToldAndDoesNotHang()
    {
        var server = new RawServer { OnCall = static (_, _, _) => throw new IOException("gone") };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        guard.Audit.Before = static (record, _) => record.Kind == AuditKind.Outcome ? throw new IOException("disk full") : default;

        CallToolResult result = await client.CallToolAsync("echo");

        Assert.That(TextOf(result), Does.Contain("[audit-unavailable]").And.Contain("may have been carried out"));
    }

    [Test]
    public async Task Outcome_OfATimeout_CannotBeWritten_CallerLearnsThatTheCallMayHaveHappened()
    {
        var time = new FakeTimeProvider(AuditSamples.Noon);
        var server = new RawServer { OnCall = static (_, _, _) => Task.CompletedTask };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), builder => builder.UseTimeProvider(time));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        guard.Audit.Before = static (record, _) => record.Kind == AuditKind.Outcome ? throw new IOException("disk full") : default;

        Task<CallToolResult> call = client.CallToolAsync("echo").AsTask();
        await Eventually.True(() => server.Calls.Count == 1);
        time.Advance(TimeSpan.FromMinutes(5));

        Assert.That(TextOf(await call), Does.Contain("[audit-unavailable]").And.Contain("may have been carried out"));
    }

    [Test]
    public async Task Intent_FaultBeforeTheCallLeaves_HasItsOutcome()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using ITransport transport = await guard.Protect(server).ConnectAsync();
        var request = new JsonRpcRequest
        {
            Id = new RequestId(1),
            Method = "tools/list",
            Context = new JsonRpcMessageContext { Items = new ThrowingItems() },
        };

        Assert.That(async () => await transport.SendMessageAsync(request), Throws.InstanceOf<NotSupportedException>());

        AuditRecord intent = guard.Audit.OfKind(AuditKind.Intent).Single();
        Assert.That(guard.Audit.OfKind(AuditKind.Outcome).Single().DecisionId, Is.EqualTo(intent.DecisionId));
        Assert.That(server.Received, Is.Empty);
    }

    [Test]
    public async Task Intent_CallerCancelsWhileItIsWritten_CallDoesNotLeaveAndThatIsOnRecord()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        using var cancel = new CancellationTokenSource();
        var held = new TaskCompletionSource();
        guard.Audit.Before = (record, _) =>
        {
            if (record.Kind != AuditKind.Intent)
            {
                return default;
            }

            cancel.Cancel();
            return new ValueTask(held.Task);
        };

        Assert.That(async () => await client.CallToolAsync("echo", cancellationToken: cancel.Token), Throws.InstanceOf<OperationCanceledException>());
        held.SetResult();
        await Eventually.True(() => guard.Audit.OfKind(AuditKind.Denial).Count == 1 && guard.Audit.OfKind(AuditKind.Intent).Any(static record => record.Method == "tools/call"));

        string id = guard.Audit.OfKind(AuditKind.Intent).Single(static record => record.Method == "tools/call").DecisionId;
        Assert.That(guard.Audit.OfKind(AuditKind.Denial).Single().DecisionId, Is.EqualTo(id));
        Assert.That(server.Calls, Is.Empty);
    }

    // ---- files, keys, sinks -----------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Files_OfTheGuard_VerifyWithTheirCheckpointAfterTheEnd()
    {
        await using var guard = new AuditFixture();
        await using (McpClient client = await guard.ConnectAsync(new RawServer()))
        {
            await client.CallToolAsync("echo");
        }

        await guard.CloseAsync();
        Assert.That(AuditCheckpoint.TryParse(await File.ReadAllBytesAsync(guard.Checkpoint), out AuditCheckpoint? checkpoint), Is.True);
        AuditVerification found = AuditVerifier.Verify(guard.Log, new AuditVerifierOptions { Checkpoint = checkpoint });
        List<AuditEntry> entries = await guard.ReadAsync();
        AuditEntry intent = entries.Single(static entry => entry.Kind == AuditKind.Intent && entry.ToRecord().Method == "tools/call");
        AuditEntry outcome = entries.Single(static entry => entry.Kind == AuditKind.Outcome && entry.ToRecord().Method == "tools/call");
        Assert.Multiple(() =>
        {
            Assert.That(found.Verdict, Is.EqualTo(AuditVerdict.Valid), found.Message);
            Assert.That(found.Checkpoint, Is.EqualTo(AuditCheckpointState.Matched));
            Assert.That(outcome.Sequence, Is.GreaterThan(intent.Sequence));
            Assert.That(outcome.ToRecord().DecisionId, Is.EqualTo(intent.ToRecord().DecisionId));
            Assert.That(intent.ToRecord().Fingerprint, Is.Not.Null);
        });
    }

    [Test]
    public async Task PolicyKey_OfTheResolver_KeysTheChainAndTheCheckpoint()
    {
        byte[] key = RandomNumberGenerator.GetBytes(32);
        await using var guard = new AuditFixture(
            configure: builder => builder.AddSecretResolver(_ => new OneSecret("chain", Convert.ToBase64String(key) + "\n")),
            policy: static document => document.Audit("key", """{"secret":"chain"}"""));
        await using (McpClient client = await guard.ConnectAsync(new RawServer()))
        {
            await client.CallToolAsync("echo");
        }

        await guard.CloseAsync();
        Assert.That(AuditCheckpoint.TryParse(await File.ReadAllBytesAsync(guard.Checkpoint), out AuditCheckpoint? checkpoint), Is.True);
        AuditVerification found = AuditVerifier.Verify(guard.Log, new AuditVerifierOptions { ChainKeys = [AuditKey.FromSecret(Convert.ToBase64String(key))], Checkpoint = checkpoint });
        Assert.Multiple(() =>
        {
            Assert.That(found.Verdict, Is.EqualTo(AuditVerdict.Valid), found.Message);
            Assert.That(found.Checkpoint, Is.EqualTo(AuditCheckpointState.Matched));
            Assert.That(checkpoint!.IsSignedWith(key), Is.True);
            Assert.That(AuditVerifier.Verify(guard.Log).Verdict, Is.EqualTo(AuditVerdict.Unverifiable), "without the key");
            Assert.That(AuditVerifier.Verify(guard.Log, new AuditVerifierOptions { ChainKeys = [new byte[32]] }).Verdict, Is.Not.EqualTo(AuditVerdict.Valid), "with another key");
        });
    }

    [TestCase(null, "does not exist")]
    [TestCase("not base64", "base64")]
    [TestCase("c2hvcnQ=", "32 bytes")]
    public async Task PolicyKey_MissingOrUnusable_NothingConnects(string? secret, string told)
    {
        var server = new RawServer();
        await using var guard = new AuditFixture(
            configure: builder => builder.AddSecretResolver(_ => new OneSecret("chain", secret)),
            policy: static document => document.Audit("key", """{"secret":"chain"}"""));

        Exception? fault = null;
        try
        {
            await guard.ConnectAsync(server);
        }
        catch (McpGuardConfigurationException refused)
        {
            fault = refused;
        }


        Assert.That(fault?.Message, Does.Contain(told));
        Assert.That(secret is null || !fault!.Message.Contains(secret, StringComparison.Ordinal), Is.True, "the message does not hold the secret");
        Assert.That(server.Received, Is.Empty);
    }

    [Test]
    public async Task StartAsync_FolderInUseThenFree_SecondAttemptConnects()
    {
        await using var first = new AuditFixture();
        await first.Host.StartAsync(CancellationToken.None);
        await using var second = new AuditFixture(policy: document => document.AuditDirectory(first.Log));
        Assert.That(async () => await second.ConnectAsync(new RawServer()), Throws.Exception, "one process, one log");
        await first.CloseAsync();
        await using McpClient client = await second.ConnectAsync(new RawServer());
        Assert.That((await client.CallToolAsync("echo")).IsError, Is.Not.True);
    }

    [Test]
    public async Task UseAuditFiles_OtherFolderThanThePolicy_Refused()
    {
        await using var folder = new AuditFixture(configure: static builder => builder.UseAuditFiles(static options => options.Directory = "/somewhere/else"));
        Assert.That(() => folder.Host, Throws.InstanceOf<McpGuardConfigurationException>().With.Message.Contains("audit.directory"));
        await using var checkpoint = new AuditFixture(configure: static builder => builder.UseAuditFiles(static options => options.CheckpointPath = "/somewhere/else"));
        Assert.That(() => checkpoint.Host, Throws.InstanceOf<McpGuardConfigurationException>().With.Message.Contains("audit.checkpoints"));
        await using var both = new AuditFixture(configure: static builder => builder.UseAuditFiles(static _ => { }).UseAudit(new AuditCollector()));
        Assert.That(() => both.Host, Throws.InstanceOf<McpGuardConfigurationException>().With.Message.Contains("UseAuditFiles"));
        await using var names = new AuditFixture(configure: static builder => builder.AddAuditSink("a", static _ => new AuditCollector()).AddAuditSink("a", static _ => new AuditCollector()));
        Assert.That(() => names.Host, Throws.InstanceOf<McpGuardConfigurationException>().With.Message.Contains("'a'"));
    }

    [Test]
    public async Task AddAuditSink_OptionalFailsAndRequiredFails_OnlyTheRequiredOneDenies()
    {
        bool requiredFails = false;
        var seen = new AuditCollector();
        await using var guard = new AuditFixture(configure: builder => builder
            .AddAuditSink("broken", static _ => new DelegateSink(static (_, _) => throw new IOException()))
            .AddAuditSink("seen", _ => seen)
            .AddAuditSink("second", _ => new DelegateSink((_, _) => requiredFails ? throw new IOException() : default), isRequired: true));
        var server = new RawServer();
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That((await client.CallToolAsync("echo")).IsError, Is.Not.True);
        await Eventually.True(() => seen.OfKind(AuditKind.Outcome).Any(static record => record.Method == "tools/call"));

        requiredFails = true;
        CallToolResult denied = await client.CallToolAsync("echo");

        Assert.That(TextOf(denied), Does.Contain("[audit-unavailable]"));
        Assert.That(server.Calls, Has.Count.EqualTo(1));
        HealthReport report = await guard.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.That(report.Entries["mcp-guard-audit"].Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(report.Entries["mcp-guard-audit"].Data["lost.broken"], Is.GreaterThan(0L));
    }

    // ---- telemetry, health ------------------------------------------------------------------------------------------------------------------

    [Test]
    [NonParallelizable]
    public async Task Telemetry_SessionThroughTheGuard_ReachesTheExporterWithoutContent()
    {
        var spans = new CollectingExporter<Activity>();
        var metrics = new CollectingExporter<Metric>();
        string trace;
        using (TracerProvider tracer = Sdk.CreateTracerProviderBuilder().AddSource("Mcp.Guard").AddSource("host").AddProcessor(new SimpleActivityExportProcessor(spans)).Build())
        using (MeterProvider meter = Sdk.CreateMeterProviderBuilder().AddMeter("Mcp.Guard").AddReader(new BaseExportingMetricReader(metrics)).Build())
        using (var source = new ActivitySource("host"))
        {
            await using var guard = new AuditFixture(settings =>
            {
                GuardFixture.AllowAll("echo", "fails")(settings);
                settings.Deny("no", "other");
            });
            var server = new RawServer
            {
                Tools = [RawServer.Tool("echo"), RawServer.Tool("other"), RawServer.Tool("fails")],
                OnCall = static (request, raw, _) =>
                {
                    JsonObject result = RawServer.TextResult("SECRET-RESULT");
                    result["isError"] = request.Params?["name"]?.GetValue<string>() == "fails";
                    raw.Reply(request.Id, result);
                    return Task.CompletedTask;
                },
            };
            await using McpClient client = await guard.ConnectAsync(server);
            await client.ListToolsAsync();
            using (Activity root = source.StartActivity("turn")!)
            {
                trace = root.TraceId.ToHexString();
                await client.CallToolAsync("echo", new Dictionary<string, object?> { ["key"] = "SECRET-ARGUMENT" });
                await client.CallToolAsync("other", new Dictionary<string, object?> { ["key"] = "SECRET-ARGUMENT" });
                await client.CallToolAsync("fails");
                await client.CallToolAsync("made-up-by-the-model");
            }

            meter.ForceFlush();
            await guard.CloseAsync();
            List<AuditEntry> entries = await guard.ReadAsync();
            Assert.That(
                entries.Where(static entry => entry.Kind is AuditKind.Intent or AuditKind.Outcome && entry.ToRecord().Target == "echo").Select(static entry => entry.ToRecord().TraceId),
                Is.EqualTo(new[] { trace, trace }), "the outcome belongs to the trace of its call, though the reply arrives outside it");
        }

        Activity[] own = [.. spans.Items.Where(span => span.Source.Name == "Mcp.Guard" && span.TraceId.ToHexString() == trace)];
        Activity Of(string name) => own.Single(span => span.DisplayName == name);
        Assert.Multiple(() =>
        {
            Assert.That(own.Select(static span => span.DisplayName), Is.EquivalentTo(new[] { "tools/call echo", "tools/call other", "tools/call fails", "tools/list", "tools/call _OTHER" }));
            Assert.That(own, Has.All.Matches<Activity>(static span => span!.Kind == ActivityKind.Client));
            Assert.That(Of("tools/call echo").Status, Is.EqualTo(ActivityStatusCode.Unset));
            Assert.That(Of("tools/call echo").GetTagItem("mcp.method.name"), Is.EqualTo("tools/call"));
            Assert.That(Of("tools/call echo").GetTagItem("gen_ai.tool.name"), Is.EqualTo("echo"));
            Assert.That(Of("tools/call echo").GetTagItem("gen_ai.operation.name"), Is.EqualTo("execute_tool"));
            Assert.That(Of("tools/call echo").GetTagItem("mcp.protocol.version"), Is.EqualTo("2025-11-25"));
            Assert.That(Of("tools/call echo").GetTagItem("mcp.guard.decision"), Is.EqualTo("delivered"));
            Assert.That(Of("tools/call other").GetTagItem("error.type"), Is.EqualTo(GuardDenialCodes.RuleDenied));
            Assert.That(Of("tools/call fails").GetTagItem("error.type"), Is.EqualTo("tool_error"));
            Assert.That(Of("tools/call _OTHER").GetTagItem("error.type"), Is.EqualTo(GuardDenialCodes.ToolUnknown), "names that a model makes up take no place");
            Assert.That(own.SelectMany(static span => span.TagObjects).Select(static tag => tag.Value?.ToString()), Has.None.Contains("SECRET"));
            Assert.That(metrics.Items.Select(static metric => metric.Name), Is.SupersetOf(new[]
            {
                "mcp.client.operation.duration", "mcp.guard.decisions", "mcp.guard.audit.records",
            }));
            foreach (Metric metric in metrics.Items)
            {
                foreach (ref readonly MetricPoint point in metric.GetMetricPoints())
                {
                    foreach (KeyValuePair<string, object?> tag in point.Tags)
                    {
                        Assert.That(tag.Value?.ToString(), Does.Not.Contain("SECRET").And.Not.Contain("made-up"));
                        Assert.That(tag.Key, Is.Not.AnyOf("mcp.guard.decision.id", "mcp.session.id", "user.id"), "many values");
                    }
                }
            }
        });
    }

    [Test]
    public async Task HealthChecks_OfAHost_TellOfAuditPolicyAndServers()
    {
        var server = new RawServer();
        await using var guard = new AuditFixture(configure: Flood(new AuditFloodOptions { RefusedBeforeDisconnect = 10 }));
        HealthCheckService health = guard.Services.GetRequiredService<HealthCheckService>();
        Assert.That((await health.CheckHealthAsync()).Entries["mcp-guard-audit"].Status, Is.EqualTo(HealthStatus.Unhealthy), "not started");

        await using McpClient client = await guard.ConnectAsync(server);
        HealthReport well = await health.CheckHealthAsync();
        Assert.That(well.Status, Is.EqualTo(HealthStatus.Healthy), string.Join("; ", well.Entries.Select(static entry => entry.Value.Description)));
        Assert.That(well.Entries["mcp-guard-servers"].Data["test.connections"], Is.EqualTo(1));
        Assert.That(well.Entries["mcp-guard-policy"].Data["revision"], Is.EqualTo(guard.Host.PolicyRevision));

        for (int i = 0; i < 20; i++)
        {
            server.Send(new JsonRpcNotification { Method = "notifications/unknown" });
        }

        await Eventually.True(() => guard.Host.Runtime.Connections.Count == 0);
        HealthReport flooded = await health.CheckHealthAsync();
        Assert.That(flooded.Entries["mcp-guard-servers"].Status, Is.EqualTo(HealthStatus.Degraded));
        Assert.That(flooded.Entries["mcp-guard-servers"].Description, Does.Contain("'test'"));
    }

    /// <summary>A resolver that knows one secret.</summary>
    private sealed class OneSecret(string name, string? secret) : ISecretResolver
    {
        public ValueTask<string?> ResolveAsync(string asked, CancellationToken ct) => new(string.Equals(asked, name, StringComparison.Ordinal) ? secret : null);
    }

    /// <summary>Items of a message whose reading throws.</summary>
    private sealed class ThrowingItems : IDictionary<string, object?>
    {
        public ICollection<string> Keys => throw new NotSupportedException();

        public ICollection<object?> Values => throw new NotSupportedException();

        public int Count => throw new NotSupportedException();

        public bool IsReadOnly => throw new NotSupportedException();

        public object? this[string key]
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Add(string key, object? value) => throw new NotSupportedException();

        public void Add(KeyValuePair<string, object?> item) => throw new NotSupportedException();

        public void Clear() => throw new NotSupportedException();

        public bool Contains(KeyValuePair<string, object?> item) => throw new NotSupportedException();

        public bool ContainsKey(string key) => throw new NotSupportedException();

        public void CopyTo(KeyValuePair<string, object?>[] array, int arrayIndex) => throw new NotSupportedException();

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => throw new NotSupportedException();

        public bool Remove(string key) => throw new NotSupportedException();

        public bool Remove(KeyValuePair<string, object?> item) => throw new NotSupportedException();

        public bool TryGetValue(string key, out object? value) => throw new NotSupportedException();

        IEnumerator IEnumerable.GetEnumerator() => throw new NotSupportedException();
    }
}
