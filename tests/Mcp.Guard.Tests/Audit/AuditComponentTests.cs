using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Mcp.Guard.Tests.Audit;

/// <summary>The parts around the files: floods, content, logger, telemetry, reading, exports, health.</summary>
[TestFixture]
internal sealed class AuditComponentTests
{
    [Test]
    public async Task FloodGate_BeyondTheQuota_CountsWithFirstAndLastAndLosesNoDecision()
    {
        var written = new List<AuditRecord>();
        var time = new FakeTimeProvider(AuditSamples.Noon);
        var options = new AuditFloodOptions { Quota = 10, DistinctEvents = 2 };
        await using (var gate = new AuditFloodGate(Collect(written), options, time))
        {
            for (int i = 0; i < 100; i++)
            {
                await gate.WriteAsync(
                    new AuditRecord { Kind = AuditKind.ServerMessage, Time = AuditSamples.Noon.AddSeconds(i), Server = "noisy", Method = $"notifications/{i % 4}", DecisionId = AuditSamples.Id(i) },
                    CancellationToken.None);
            }

            await gate.WriteAsync(AuditSamples.Intent("call"), CancellationToken.None);
            await gate.WriteAsync(AuditSamples.Denial("other"), CancellationToken.None);
            Assert.That(written, Has.Count.EqualTo(12), "the quota, the intent, and the denial of another caller");
        }

        AuditRecord[] counts = [.. written.Where(static record => record.Count > 1)];
        Assert.Multiple(() =>
        {
            Assert.That(counts, Has.Length.EqualTo(3), "two events apart, the others together");
            Assert.That(written.Where(static record => record.Kind == AuditKind.ServerMessage).Sum(static record => record.Count), Is.EqualTo(100));
            Assert.That(counts[0].FirstTime, Is.EqualTo(AuditSamples.Noon.AddSeconds(10)));
            Assert.That(counts.Max(static record => record.Time), Is.EqualTo(AuditSamples.Noon.AddSeconds(99)));
            Assert.That(counts[2].Method, Is.Null);
        });
    }

    [Test]
    public async Task FloodGate_SinkFails_CountIsKeptForTheNextWindow()
    {
        bool fails = true;
        var written = new List<AuditRecord>();
        var inner = new DelegateSink((record, _) =>
        {
            if (fails)
            {
                throw new AuditUnavailableException("full");
            }

            written.Add(record);
            return default;
        });
        await using var gate = new AuditFloodGate(inner, new AuditFloodOptions { Quota = 0 }, new FakeTimeProvider(AuditSamples.Noon));
        await gate.WriteAsync(AuditSamples.Denial("a"), CancellationToken.None);
        await gate.WriteAsync(AuditSamples.Denial("b"), CancellationToken.None);
        await gate.FlushAsync();
        Assert.That(written, Is.Empty);
        fails = false;
        await gate.FlushAsync();
        Assert.That(written.Select(static record => (record.Count, record.DecisionId)), Is.EqualTo(new[] { (2L, "b") }));
    }

    [Test]
    public async Task WriteAsync_FloodOfServerMessages_LeavesPlacesForIntents()
    {
        var faulty = new FaultyAuditStorage(new MemoryAuditStorage());
        var options = new AuditFileOptions { Directory = "/log", QueueCapacity = 64 };
        await using var sink = new AuditFileSink(options, faulty, new FakeTimeProvider(AuditSamples.Noon));
        await sink.StartAsync(CancellationToken.None);
        faulty.Plan = static (_, _) => AuditFault.Hold;
        var waiting = new List<Task> { sink.WriteAsync(AuditSamples.Intent("held"), CancellationToken.None).AsTask() };
        faulty.Held.Wait();
        int refused = 0;
        for (int i = 0; i < 100; i++)
        {
            ValueTask write = sink.WriteAsync(new AuditRecord { Kind = AuditKind.ServerMessage, Time = AuditSamples.Noon }, CancellationToken.None);
            if (write.IsFaulted)
            {
                refused++;
                Assert.That(async () => await write, Throws.InstanceOf<AuditUnavailableException>());
            }
            else
            {
                waiting.Add(write.AsTask());
            }
        }

        for (int i = 0; i < 24; i++)
        {
            waiting.Add(sink.WriteAsync(AuditSamples.Intent(AuditSamples.Id(i)), CancellationToken.None).AsTask());
        }

        Task late = sink.WriteAsync(AuditSamples.Intent("late"), CancellationToken.None).AsTask();
        waiting.Add(sink.WriteAsync(AuditSamples.Outcome("held"), CancellationToken.None).AsTask());
        faulty.Gate.Set();
        Assert.Multiple(() =>
        {
            Assert.That(refused, Is.EqualTo(100 - 32), "half of the places");
            Assert.That(async () => await late, Throws.InstanceOf<AuditUnavailableException>(), "the last eighth is for outcomes");
            Assert.That(async () => await Task.WhenAll(waiting), Throws.Nothing);
        });
    }

    [Test]
    public async Task WriteAsync_CallerGivesUp_WaitEndsAndOutcomeIsStillWritten()
    {
        var storage = new MemoryAuditStorage();
        var faulty = new FaultyAuditStorage(storage);
        await using (var sink = new AuditFileSink(new AuditFileOptions { Directory = "/log" }, faulty, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await sink.StartAsync(CancellationToken.None);
            faulty.Plan = static (_, name) => name == "write" ? AuditFault.Hold : AuditFault.None;
            using var cancel = new CancellationTokenSource();
            Task first = sink.WriteAsync(AuditSamples.Intent("first"), CancellationToken.None).AsTask();
            faulty.Held.Wait();
            Task outcome = sink.WriteAsync(AuditSamples.Outcome("cancelled"), cancel.Token).AsTask();
            await cancel.CancelAsync();
            Assert.That(async () => await outcome, Throws.InstanceOf<OperationCanceledException>());
            Assert.That(async () => await sink.WriteAsync(AuditSamples.Outcome("late"), cancel.Token), Throws.InstanceOf<OperationCanceledException>());
            faulty.Gate.Set();
            await first;
        }

        string text = Encoding.ASCII.GetString(storage.Files.Single(static file => file.Key.EndsWith(".jsonl", StringComparison.Ordinal)).Value);
        Assert.That(text, Does.Contain("\"outcome\",\"id\":\"cancelled\"").And.Contain("\"outcome\",\"id\":\"late\""));
    }

    [Test]
    public void Record_EachMode_RecordsAsMuchAsItSays()
    {
        JsonElement value = JsonDocument.Parse("""{"path":"/srv/a","pin":1234,"by":{"ada@example.org":true},"list":["x",null]}""").RootElement;
        JsonElement redacted = JsonDocument.Parse("""{"path":"[redacted]"}""").RootElement;
        var digest = new AuditDigest(new byte[32]);
        var content = new AuditContent(() => digest, _ => redacted);
        Assert.Multiple(() =>
        {
            Assert.That(content.Record(value, ContentRecording.None).ValueKind, Is.EqualTo(JsonValueKind.Undefined));
            Assert.That(
                content.Record(value, ContentRecording.Shape).GetRawText(),
                Is.EqualTo("""{"path":"string(6)","pin":"number","by":{"name 1 (15)":"boolean"},"list":["string(1)",null]}"""));
            Assert.That(content.Record(value, ContentRecording.Redacted).GetRawText(), Is.EqualTo(redacted.GetRawText()));
            Assert.That(content.Record(value, ContentRecording.Full).GetRawText(), Is.EqualTo(value.GetRawText()));
            Assert.That(content.Digest(value), Does.StartWith("hmac-sha256:").And.Length.EqualTo(12 + 64));
            Assert.That(new AuditDigest([.. Enumerable.Repeat((byte)1, 32)]).Of("1234"u8), Is.Not.EqualTo(digest.Of("1234"u8)), "the digest tells nothing without the key");
            Assert.That(
                new AuditContent(() => digest, static _ => throw new InvalidOperationException()).Record(value, ContentRecording.Redacted).GetRawText(),
                Does.Contain("string(6)"), "a redactor that fails leaves the form only");
            var disposed = JsonDocument.Parse("{}");
            JsonElement gone = disposed.RootElement;
            disposed.Dispose();
            Assert.That(content.Record(gone, ContentRecording.Full).ValueKind, Is.EqualTo(JsonValueKind.Undefined), "no exception after the call ran");
            Assert.That(content.Digest(gone), Is.Null);
        });
    }

    [TestCase(ContentRecording.None, 0)]
    [TestCase(ContentRecording.Shape, 64)]
    public void RecordContent_LargeValue_HoldsAndCountsOnlyWhatIsRecorded(ContentRecording mode, int bytes)
    {
        JsonElement value = JsonDocument.Parse($$"""{"text":"{{new string('x', 100_000)}}"}""").RootElement;
        var content = new AuditContent(static () => null);
        Assert.Multiple(() =>
        {
            Assert.That(new AuditedArguments(content, Mcp.Guard.Pipeline.RequestPayload.OfArguments(value), mode).Bytes, Is.LessThanOrEqualTo(bytes));
            Assert.That(new AuditedResult(content, new AuditOutcome(value, value, ["x"]), mode).Bytes, Is.LessThanOrEqualTo(bytes));
            Assert.That(new AuditedResult(content, new AuditOutcome(value, value, ["x"]), ContentRecording.Full).Bytes, Is.GreaterThan(100_000));
        });
    }

    [Test]
    public async Task LoggerSink_BelowTrace_ShowsNoContentAndStaysOneLine()
    {
        AuditRecord record = new()
        {
            Kind = AuditKind.Denial,
            Time = AuditSamples.Noon,
            DecisionId = "d1",
            Server = "files",
            Method = "tools/call",
            Target = "read\r\n_file",
            Code = GuardDenialCodes.RuleDenied,
            Reason = "SECRET reason",
            Intent = "SECRET intent",
            Arguments = JsonDocument.Parse("""{"a":"SECRET"}""").RootElement,
        };
        var quiet = new ListLogger(LogLevel.Debug);
        await new LoggerAuditSink(quiet).WriteAsync(record, CancellationToken.None);
        var chatty = new ListLogger(LogLevel.Trace);
        await new LoggerAuditSink(chatty).WriteAsync(record, CancellationToken.None);
        Assert.Multiple(() =>
        {
            Assert.That(quiet.Lines, Has.Count.EqualTo(1));
            Assert.That(quiet.Lines[0], Does.Contain("read\\u000d\\u000a_file").And.Contain("rule-denied").And.Not.Contain("SECRET").And.Not.Contain("\n"));
            Assert.That(chatty.Lines, Has.Count.EqualTo(2));
            Assert.That(chatty.Lines[1], Does.Contain("""{"a":"SECRET"}"""));
        });
    }

    [Test]
    public void Telemetry_SessionThroughTheSdk_ExportsSpansAndMetricsWithoutContent()
    {
        var spans = new CollectingExporter<Activity>();
        var metrics = new CollectingExporter<Metric>();
        using (TracerProvider tracer = Sdk.CreateTracerProviderBuilder().AddSource(GuardTelemetry.Name).AddProcessor(new SimpleActivityExportProcessor(spans)).Build())
        using (MeterProvider meter = Sdk.CreateMeterProviderBuilder().AddMeter(GuardTelemetry.Name).AddReader(new BaseExportingMetricReader(metrics)).Build())
        {
            Call("tools/call", "read_file", "delivered", null);
            Call("tools/call", "move_file", "deny", GuardDenialCodes.RuleDenied);
            Call("resources/read", "file:///srv/private/SECRET", "delivered", null);
            Call("x/hostile-method-1", null, "deny", GuardDenialCodes.MethodNotAllowed);
            for (int i = 0; i < 1_000; i++)
            {
                Call("tools/call", $"tool-{i}", "delivered", null);
            }

            GuardTelemetry.CountConsent("files", "allow", TimeSpan.FromSeconds(3));
            GuardTelemetry.CountRecords("written", 5);
            meter.ForceFlush();
        }

        string[] names = [.. spans.Items.Select(static span => span.DisplayName)];
        Activity denied = spans.Items.First(static span => span.DisplayName == "tools/call move_file");
        Assert.Multiple(() =>
        {
            Assert.That(names, Is.SupersetOf(new[] { "tools/call read_file", "resources/read", "_OTHER" }));
            Assert.That(denied.Kind, Is.EqualTo(ActivityKind.Client));
            Assert.That(denied.Status, Is.EqualTo(ActivityStatusCode.Error));
            Assert.That(denied.GetTagItem("error.type"), Is.EqualTo(GuardDenialCodes.RuleDenied));
            Assert.That(denied.GetTagItem("gen_ai.tool.name"), Is.EqualTo("move_file"));
            Assert.That(denied.GetTagItem("gen_ai.operation.name"), Is.EqualTo("execute_tool"));
            Assert.That(denied.GetTagItem("mcp.protocol.version"), Is.EqualTo("2025-11-25"));
            Assert.That(spans.Items.SelectMany(static span => span.TagObjects).Select(static tag => tag.Value?.ToString()), Has.None.Contains("SECRET"));
            Assert.That(metrics.Items.Select(static metric => metric.Name), Is.SupersetOf(new[]
            {
                "mcp.client.operation.duration", "mcp.guard.decisions", "mcp.guard.consent.duration", "mcp.guard.audit.records",
            }));
            int tools = spans.Items.Select(static span => span.GetTagItem("gen_ai.tool.name")).OfType<string>().Distinct().Count();
            Assert.That(tools, Is.LessThanOrEqualTo(201), "names of tools come from servers");
        });

        static void Call(string method, string? target, string decision, string? error)
        {
            Activity? span = GuardTelemetry.StartRequest(method, target, "files", "2025-11-25");
            GuardTelemetry.CountDecision(method, "files", decision, error);
            GuardTelemetry.EndRequest(span, method, target, "files", decision, error, "d1", TimeSpan.FromMilliseconds(5), isKnown: true);
        }
    }

    [Test]
    public async Task ReadAsync_Query_SelectsByEveryMember()
    {
        using var folder = new AuditFolder();
        var time = new FakeTimeProvider(AuditSamples.Noon);
        await using (var sink = new AuditFileSink(folder.Options(), time))
        {
            await sink.StartAsync(CancellationToken.None);
            for (int day = 0; day < 3; day++)
            {
                await sink.WriteAsync(AuditSamples.Intent($"i{day}", time.GetUtcNow()), CancellationToken.None);
                await sink.WriteAsync(AuditSamples.Denial($"d{day}"), CancellationToken.None);
                time.Advance(TimeSpan.FromDays(1));
            }
        }

        File.AppendAllText(folder.Segments()[0], "no record\n");
        var reader = new AuditFileReader(folder.Log);
        Assert.Multiple(async () =>
        {
            Assert.That(await IdsAsync(new AuditQuery { Kind = AuditKind.Intent }), Is.EqualTo(new[] { "i0", "i1", "i2" }));
            Assert.That(reader.Unreadable, Is.EqualTo(1));
            Assert.That(await IdsAsync(new AuditQuery { Kind = AuditKind.Intent, From = AuditSamples.Noon.AddHours(1), To = AuditSamples.Noon.AddHours(30) }), Is.EqualTo(new[] { "i1" }));
            Assert.That(await IdsAsync(new AuditQuery { DecisionId = "d1" }), Is.EqualTo(new[] { "d1" }));
            Assert.That(await IdsAsync(new AuditQuery { Code = GuardDenialCodes.RuleDenied, Limit = 2 }), Is.EqualTo(new[] { "d0", "d1" }));
            Assert.That(await IdsAsync(new AuditQuery { SessionId = "session-1", UserId = "ada", Server = "files", Target = "read_file", Decision = "allow" }), Is.EqualTo(new[] { "i0", "i1", "i2" }));
            Assert.That(await IdsAsync(new AuditQuery { SessionId = "another" }), Is.Empty);
        });

        async Task<List<string>> IdsAsync(AuditQuery query)
        {
            var ids = new List<string>();
            await foreach (AuditEntry entry in reader.ReadAsync(query))
            {
                ids.Add(entry.ToRecord().DecisionId);
            }

            return ids;
        }
    }

    [Test]
    public async Task ToRecord_AfterWriting_IsTheRecordThatWasWritten()
    {
        using var folder = new AuditFolder();
        AuditRecord record = new()
        {
            Kind = AuditKind.Outcome,
            Time = AuditSamples.Noon.AddTicks(1234567),
            DecisionId = "d1",
            Changes = ["redaction: token", "sanitize: bidi"],
            Duration = TimeSpan.FromMicroseconds(1234),
            Count = 7,
            FirstTime = AuditSamples.Noon,
            AnsweredBy = "j\u00fcrgen",
            Result = JsonDocument.Parse("""{"a":[1,2.50,"\u00e9"]}""").RootElement,
        };
        await using (var sink = new AuditFileSink(folder.Options(), TimeProvider.System))
        {
            await sink.StartAsync(CancellationToken.None);
            await sink.WriteAsync(record, CancellationToken.None);
        }

        AuditRecord? read = null;
        await foreach (AuditEntry entry in new AuditFileReader(folder.Log).ReadAsync(new AuditQuery { DecisionId = "d1" }))
        {
            read = entry.ToRecord();
        }

        Assert.Multiple(() =>
        {
            Assert.That((read!.Kind, read.Time, read.Duration, read.Count, read.FirstTime, read.AnsweredBy),
                Is.EqualTo((record.Kind, record.Time, record.Duration, record.Count, record.FirstTime, record.AnsweredBy)));
            Assert.That(read.Changes, Is.EqualTo(record.Changes));
            Assert.That(JsonElement.DeepEquals(read.Result, record.Result), Is.True);
        });
    }

    [Test]
    public void Ocsf_Denial_IsAnApiActivityThatWasBlockedAndHoldsNoKeyedDigest()
    {
        JsonElement line = JsonDocument.Parse(
            """{"seq":5,"time":"2026-11-22T12:00:00.0000000Z","kind":"denial","id":"d1","user":"ada","session":"s1","server":"files","method":"tools/call","target":"move_file","decision":"deny","code":"rule-denied","stage":"rules","rule":"no-moves","reason":"denied","policy":"4f2a","argumentsDigest":"hmac-sha256:00ff","notes":{"arguments":{"bytes":9,"digest":"hmac-sha256:00ff"}},"count":3,"first":"2026-11-22T11:00:00.0000000Z","prev":"00","hash":"11"}""").RootElement;
        var entry = new AuditEntry("audit-00000001-20261122.jsonl", 5, line);
        JsonElement ocsf = Json(writer => AuditOcsf.Write(entry, writer));
        JsonElement export = Json(writer => AuditExport.Write(entry, writer));
        Assert.Multiple(() =>
        {
            Assert.That(ocsf.GetProperty("class_uid").GetInt32(), Is.EqualTo(6003));
            Assert.That(ocsf.GetProperty("category_uid").GetInt32(), Is.EqualTo(6));
            Assert.That(ocsf.GetProperty("type_uid").GetInt32(), Is.EqualTo(600399));
            Assert.That(ocsf.GetProperty("time").GetInt64(), Is.EqualTo(AuditSamples.Noon.ToUnixTimeMilliseconds()));
            Assert.That(ocsf.GetProperty("api").GetProperty("operation").GetString(), Is.EqualTo("tools/call"));
            Assert.That(ocsf.GetProperty("actor").GetProperty("user").GetProperty("uid").GetString(), Is.EqualTo("ada"));
            Assert.That(ocsf.GetProperty("src_endpoint").GetProperty("name").GetString(), Is.Not.Empty);
            Assert.That(ocsf.GetProperty("metadata").GetProperty("product").GetProperty("name").GetString(), Is.EqualTo("Mcp.Guard"));
            Assert.That((ocsf.GetProperty("status_id").GetInt32(), ocsf.GetProperty("action_id").GetInt32(), ocsf.GetProperty("disposition_id").GetInt32()), Is.EqualTo((2, 2, 2)));
            Assert.That(ocsf.GetProperty("count").GetInt32(), Is.EqualTo(3));
            Assert.That(ocsf.GetRawText() + export.GetRawText(), Does.Not.Contain("hmac-sha256"));
            Assert.That(export.TryGetProperty("hash", out _), Is.False);
            Assert.That(export.GetProperty("notes").GetProperty("arguments").GetProperty("bytes").GetInt32(), Is.EqualTo(9));
        });

        static JsonElement Json(Action<Utf8JsonWriter> write)
        {
            var output = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(output))
            {
                write(writer);
            }

            var reader = new Utf8JsonReader(output.WrittenSpan);
            return JsonElement.ParseValue(ref reader);
        }
    }

    [Test]
    public async Task HealthCheck_FailingAndWorking_SaysSo()
    {
        var faulty = new FaultyAuditStorage(new MemoryAuditStorage());
        await using var sink = new AuditFileSink(new AuditFileOptions { Directory = "/log" }, faulty, new FakeTimeProvider(AuditSamples.Noon));
        await using var fanOut = new FanOutAuditSink([new("files", sink, IsRequired: true)], bestEffort: false, TimeSpan.FromSeconds(5), TimeProvider.System);
        await using var gate = new AuditFloodGate(fanOut, new AuditFloodOptions(), new FakeTimeProvider(AuditSamples.Noon));
        var check = new AuditHealthCheck(new AuditSinks(gate, fanOut, sink), static () => true);
        Assert.That((await check.CheckHealthAsync(new HealthCheckContext())).Status, Is.EqualTo(HealthStatus.Unhealthy), "not open yet");
        await sink.StartAsync(CancellationToken.None);
        Assert.That((await check.CheckHealthAsync(new HealthCheckContext())).Status, Is.EqualTo(HealthStatus.Healthy));
        faulty.Plan = static (_, _) => AuditFault.Fail;
        Assert.That(async () => await sink.WriteAsync(AuditSamples.Intent("a"), CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>());
        Assert.That((await check.CheckHealthAsync(new HealthCheckContext())).Status, Is.EqualTo(HealthStatus.Unhealthy));
    }

    [Test]
    public void Options_BadValues_AreNamed()
    {
        var bad = new AuditFileOptions { RetentionDays = 0, QueueCapacity = 1, ChainKey = new byte[8], SegmentBytes = 1 };
        Assert.Multiple(() =>
        {
            Assert.That(bad.Faults(), Has.Count.EqualTo(5));
            Assert.That(() => new AuditFileSink(bad, TimeProvider.System), Throws.ArgumentException.With.Message.Contains("retentionDays is 0"));
            Assert.That(new AuditFileOptions { Directory = "x", CheckpointPath = "x/checkpoint" }.Faults(), Has.Count.EqualTo(1));
            Assert.That(new AuditFileOptions { Directory = "x", CheckpointPath = "xy/checkpoint" }.Faults(), Is.Empty);
            Assert.That(new AuditFileOptions { Directory = "x", RetentionDays = 7 }.Warnings(), Is.Empty);
            Assert.That(new AuditFileOptions { Directory = "x", RetentionDays = 30 }.Warnings(), Is.Empty);
            Assert.That(new AuditFileOptions { Directory = "x", RetentionDays = 365 }.Faults(), Is.Empty);
            Assert.That(new AuditFileOptions { Directory = "x", RetentionDays = 365 }.Warnings(), Has.Count.EqualTo(1));
            Assert.That(new AuditFileOptions { Directory = "x", RetentionDays = 3 }.Warnings(), Has.Count.EqualTo(1));
        });
    }

    [Test]
    public async Task StartAsync_SegmentWasChanged_GoesOnInANewOneAndSaysSo()
    {
        using var folder = new AuditFolder();
        await using (var sink = new AuditFileSink(folder.Options(), TimeProvider.System))
        {
            await sink.StartAsync(CancellationToken.None);
            await sink.WriteAsync(AuditSamples.Intent("before"), CancellationToken.None);
        }

        string path = folder.Segments()[0];
        File.WriteAllText(path, File.ReadAllText(path).Replace("before", "behind", StringComparison.Ordinal));
        byte[] changed = File.ReadAllBytes(path);
        await using (var sink = new AuditFileSink(folder.Options(), TimeProvider.System))
        {
            await sink.StartAsync(CancellationToken.None);
            Assert.That(sink.Health.State, Is.EqualTo(AuditFileState.Degraded));
            await sink.WriteAsync(AuditSamples.Intent("after"), CancellationToken.None);
        }

        AuditVerification found = AuditVerifier.Verify(folder.Log);
        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllBytes(path), Is.EqualTo(changed), "evidence is left as it is");
            Assert.That(folder.Segments(), Has.Length.EqualTo(2));
            Assert.That(File.ReadAllText(folder.Segments()[1]), Does.Contain("\"event\":\"damaged\"").And.Contain("after"));
            Assert.That((found.Verdict, found.BadLine), Is.EqualTo((AuditVerdict.Tampered, 3L)));
        });
    }

    [Test]
    public async Task StartAsync_LogIsShorterThanItsCheckpoint_SaysSoAndKeepsTheCheckpoint()
    {
        var storage = new MemoryAuditStorage();
        var options = new AuditFileOptions { Directory = "/log", CheckpointPath = "/elsewhere/checkpoint" };
        MemoryAuditStorage? old = null;
        for (int run = 0; run < 2; run++)
        {
            await using (var sink = new AuditFileSink(options, storage, TimeProvider.System))
            {
                await sink.StartAsync(CancellationToken.None);
                Assert.That(sink.Health.State, Is.EqualTo(AuditFileState.Healthy));
                await sink.WriteAsync(AuditSamples.Intent($"{run}"), CancellationToken.None);
            }

            old ??= storage.Copy();
        }

        old!.Files["/elsewhere/checkpoint"] = storage.Files["/elsewhere/checkpoint"];
        await using (var rolledBack = new AuditFileSink(options, old, TimeProvider.System))
        {
            await rolledBack.StartAsync(CancellationToken.None);
            Assert.That((rolledBack.Health.State, rolledBack.Health.Message), Is.EqualTo((AuditFileState.Degraded, "the log ends before its checkpoint: it was cut or rolled back")));
        }

        Assert.That(old.Files["/elsewhere/checkpoint.contradicted"], Is.EqualTo(storage.Files["/elsewhere/checkpoint"]));
    }

    [Test]
    public async Task Files_OnUnix_BelongToTheUserAlone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("file modes are a matter of Unix");
            return;
        }

        using var folder = new AuditFolder();
        await using var sink = new AuditFileSink(folder.Options(), TimeProvider.System);
        await sink.StartAsync(CancellationToken.None);
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        foreach (string path in Directory.GetFiles(folder.Log).Append(folder.Log))
        {
            Assert.That(File.GetUnixFileMode(path) & Others, Is.EqualTo(UnixFileMode.None), path);
        }
    }

    [Test]
    public async Task CheckpointSink_Slow_GetsTheNewestAndStopsNoCall()
    {
        var kept = new SlowCheckpoints();
        var options = new AuditFileOptions { Directory = "/log", CheckpointSink = kept, CheckpointRecords = 1, CheckpointKey = new byte[32] };
        var storage = new MemoryAuditStorage();
        await using (var sink = new AuditFileSink(options, storage, TimeProvider.System))
        {
            await sink.StartAsync(CancellationToken.None);
            for (int i = 0; i < 50; i++)
            {
                await sink.WriteAsync(AuditSamples.Intent(AuditSamples.Id(i)), CancellationToken.None);
            }

            kept.Gate.TrySetResult();
        }

        AuditCheckpoint newest = kept.Taken[^1];
        Assert.Multiple(() =>
        {
            Assert.That(kept.Taken, Has.Count.LessThan(50));
            Assert.That(newest.IsSignedWith(new byte[32]), Is.True);
            Assert.That(AuditCheckpoint.TryParse(Encoding.UTF8.GetBytes(newest.ToJson()), out AuditCheckpoint? read) && read!.ToJson() == newest.ToJson(), Is.True);
            Assert.That(
                AuditVerifier.Verify(storage, "/log", new AuditVerifierOptions { Checkpoint = newest, CheckpointKey = new byte[32] }, default).Checkpoint,
                Is.EqualTo(AuditCheckpointState.Matched));
        });
    }

    private static DelegateSink Collect(List<AuditRecord> records) => new((record, _) =>
    {
        records.Add(record);
        return default;
    });

    private sealed class SlowCheckpoints : IAuditCheckpointSink
    {
        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<AuditCheckpoint> Taken { get; } = [];

        public async ValueTask WriteAsync(AuditCheckpoint checkpoint, CancellationToken ct)
        {
            await Gate.Task;
            Taken.Add(checkpoint);
        }
    }

    private sealed class ListLogger(LogLevel least) : ILogger<LoggerAuditSink>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
