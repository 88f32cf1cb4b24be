using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Audit;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Audit;

/// <summary>The scenarios of <c>audit.json</c>, as far as the log alone can play them.</summary>
[TestFixture]
internal sealed class AuditScenarioTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(static i => (byte)i)];

    [Test]
    public void Scenarios_OfTheCorpus_EachHasATest()
    {
        using JsonDocument corpus = CorpusFile.Open("audit.json");
        IEnumerable<string> wanted = corpus.RootElement.GetProperty("scenarios").EnumerateArray().Select(static scenario => scenario.GetProperty("id").GetString()!);
        IEnumerable<string> played = typeof(AuditScenarioTests).GetMethods()
            .Select(static method => method.GetCustomAttribute<AuditScenarioAttribute>()?.Id).OfType<string>();
        Assert.That(played, Is.SupersetOf(wanted));
    }

    [Test, AuditScenario("audit-001")]
    public async Task Audit001_TextsThatEndLines_StayInOneRecord()
    {
        using var folder = new AuditFolder();
        const string Hostile = "a\r\nb\u2028c\u2029d\u0085e\u001b[2Jf\0g\u202eh\u009bi\u000bj\u000ck\ud83d\ude00\ud800\"\\l";
        JsonElement arguments = JsonDocument.Parse("{\r\n  \"a\u2028\u0085\" : [ \"\u001f\u2029\\n\" , {\"\u202e\":1.5e3 } ]\r\n}".Replace("\u001f", "\\u001f", StringComparison.Ordinal)).RootElement;
        var record = new AuditRecord
        {
            Kind = AuditKind.Denial,
            Time = AuditSamples.Noon,
            DecisionId = Hostile,
            UserId = Hostile,
            SessionId = Hostile,
            Server = Hostile,
            Method = Hostile,
            Target = Hostile,
            Fingerprint = Hostile,
            Intent = Hostile,
            Decision = Hostile,
            Code = Hostile,
            Stage = Hostile,
            Rule = Hostile,
            Reason = Hostile,
            PolicyRevision = Hostile,
            Arguments = arguments,
            Result = arguments,
            ArgumentsDigest = Hostile,
            ResultDigest = Hostile,
            DeliveredDigest = Hostile,
            Changes = [Hostile, Hostile],
            AnsweredBy = Hostile,
            ProtocolVersion = Hostile,
            TraceId = Hostile,
        };
        await WriteAsync(folder.Options(), TimeProvider.System, record, record, record);

        byte[] bytes = File.ReadAllBytes(folder.Segments()[0]);
        string[] lines = Encoding.ASCII.GetString(bytes).Split('\n');
        Assert.Multiple(() =>
        {
            Assert.That(bytes.Where(static b => b is < 0x20 or > 0x7e).Distinct(), Is.EqualTo(new[] { (byte)'\n' }));
            Assert.That(lines, Has.Length.EqualTo(6 + 1), "header, opened, three records, closed, and nothing after the last line feed");
            foreach (string line in lines[..^1])
            {
                Assert.That(() => JsonDocument.Parse(line).Dispose(), Throws.Nothing);
            }

            JsonElement written = JsonDocument.Parse(lines[3]).RootElement;
            Assert.That(written.GetProperty("target").GetString(), Is.EqualTo(Hostile.Replace('\ud800', '\ufffd').Replace("\ufffd\ufffd", "\ufffd", StringComparison.Ordinal).Replace("\ufffd\ude00", "\ud83d\ude00", StringComparison.Ordinal)));
            Assert.That(written.GetProperty("arguments").GetProperty("a\u2028\u0085")[0].GetString(), Is.EqualTo("\u001f\u2029\n"));
            Assert.That(AuditVerifier.Verify(folder.Log).Verdict, Is.EqualTo(AuditVerdict.Valid));
        });
    }

    [Test, AuditScenario("audit-004")]
    public async Task Audit004_SinkFails_RequiredThrowsAndBestEffortCounts()
    {
        var throwing = new DelegateSink(static (_, _) => throw new InvalidOperationException("broken"));
        var hanging = new DelegateSink(static async (_, _) => await Task.Delay(Timeout.Infinite, CancellationToken.None));
        var time = new FakeTimeProvider(AuditSamples.Noon);
        foreach (DelegateSink broken in new[] { throwing, hanging })
        {
            await using var required = new FanOutAuditSink([new("broken", broken, IsRequired: true)], bestEffort: false, TimeSpan.FromSeconds(5), time);
            Task write = required.WriteAsync(AuditSamples.Intent("a"), CancellationToken.None).AsTask();
            time.Advance(TimeSpan.FromSeconds(6));
            Assert.That(async () => await write, Throws.InstanceOf<AuditUnavailableException>());
        }

        var good = new DelegateSink(static (_, _) => default);
        await using (var optional = new FanOutAuditSink(
            [new("good", good, IsRequired: true), new("broken", throwing, IsRequired: false)], bestEffort: false, TimeSpan.FromSeconds(5), time))
        {
            await optional.WriteAsync(AuditSamples.Intent("a"), CancellationToken.None);
            Assert.That(() => optional.Losses[0].Lost, Is.EqualTo(1).After(30_000, 5));
        }

        Assert.That(
            () => new FanOutAuditSink([new("broken", throwing, IsRequired: false)], bestEffort: false, TimeSpan.FromSeconds(5), time),
            Throws.ArgumentException, "best effort is a choice, never an accident");
    }

    [Test, AuditScenario("audit-005")]
    public async Task Audit005_OutcomeCannotBeWritten_CallerIsToldAndNextStartFindsTheOpenIntent()
    {
        var storage = new MemoryAuditStorage();
        var faulty = new FaultyAuditStorage(storage);
        var options = new AuditFileOptions { Directory = "/log", Durability = AuditDurability.Durable };
        await using (var sink = new AuditFileSink(options, faulty, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await sink.StartAsync(CancellationToken.None);
            await sink.WriteAsync(AuditSamples.Intent("done"), CancellationToken.None);
            await sink.WriteAsync(AuditSamples.Outcome("done"), CancellationToken.None);
            await sink.WriteAsync(AuditSamples.Intent("ran"), CancellationToken.None);
            faulty.Plan = static (_, _) => AuditFault.Fail;
            Assert.That(async () => await sink.WriteAsync(AuditSamples.Outcome("ran"), CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>());
        }

        await using (var next = new AuditFileSink(options, storage, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await next.StartAsync(CancellationToken.None);
            Assert.That(next.OpenAtStart, Is.EqualTo(new[] { "ran" }));
        }

        await using (var third = new AuditFileSink(options, storage, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await third.StartAsync(CancellationToken.None);
            Assert.That(third.OpenAtStart, Is.Empty, "it is told once, by a record");
        }

        Assert.That(Encoding.ASCII.GetString(storage.Files.Single(static file => file.Key.EndsWith(".jsonl", StringComparison.Ordinal)).Value),
            Does.Contain("\"event\":\"openIntent\",\"id\":\"ran\""));
    }

    [Test, AuditScenario("audit-008")]
    public async Task Audit008_AnyBitChanged_VerifierNamesTheFirstBadRecord()
    {
        foreach (byte[] key in new[] { [], Key })
        {
            MemoryAuditStorage log = await SealedAsync(key, records: 4, days: 1);
            (string path, byte[] original) = log.Files.Single(static file => file.Key.EndsWith(".jsonl", StringComparison.Ordinal));
            var options = new AuditVerifierOptions { ChainKeys = [key] };
            for (int bit = 0; bit < original.Length * 8; bit++)
            {
                byte[] changed = [.. original];
                changed[bit / 8] ^= (byte)(1 << (bit % 8));
                log.Files[path] = changed;
                AuditVerification found = AuditVerifier.Verify(log, "/log", options, default);
                int line = original.AsSpan(0, bit / 8).Count((byte)'\n') + 1;
                if (found.Verdict is not (AuditVerdict.Tampered or AuditVerdict.Torn or AuditVerdict.Unverifiable) || (found.BadLine != line && found.Verdict == AuditVerdict.Tampered && found.BadLine != 0))
                {
                    Assert.Fail($"bit {bit} of line {line}: {found.Verdict} at line {found.BadLine}: {found.Message}");
                }

                if (found.Verdict == AuditVerdict.Torn && bit / 8 != original.Length - 1)
                {
                    Assert.Fail($"bit {bit} of line {line} looks like a crash");
                }
            }
        }
    }

    [Test, AuditScenario("audit-010")]
    public async Task Audit010_RecordsOrFilesSwapped_Found()
    {
        MemoryAuditStorage log = await SealedAsync(Key, records: 6, days: 3);
        string[] paths = [.. log.Files.Keys.Where(static path => path.EndsWith(".jsonl", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        foreach (string path in paths)
        {
            byte[][] lines = Lines(log.Files[path]);
            for (int i = 0; i < lines.Length; i++)
            {
                for (int j = i + 1; j < lines.Length; j++)
                {
                    MemoryAuditStorage swapped = log.Copy();
                    byte[][] order = [.. lines];
                    (order[i], order[j]) = (order[j], order[i]);
                    swapped.Files[path] = [.. order.SelectMany(static line => line)];
                    AuditVerification found = Verify(swapped);
                    Assert.That((found.Verdict, found.BadFile, found.BadLine), Is.EqualTo((AuditVerdict.Tampered, Path.GetFileName(path), (long)i + 1)));
                }
            }
        }

        MemoryAuditStorage files = log.Copy();
        (files.Files[paths[0]], files.Files[paths[1]]) = (files.Files[paths[1]], files.Files[paths[0]]);
        Assert.That(Verify(files).Verdict, Is.EqualTo(AuditVerdict.Tampered));
        MemoryAuditStorage missing = log.Copy();
        missing.Files.Remove(paths[1]);
        Assert.That(Verify(missing).Verdict, Is.EqualTo(AuditVerdict.Tampered));
        MemoryAuditStorage beginning = log.Copy();
        beginning.Files.Remove(paths[0]);
        Assert.That(Verify(beginning).Message, Does.Contain("no record of the deletion"));
    }

    [Test, AuditScenario("audit-011")]
    public async Task Audit011_TailCut_FoundByCheckpointOnly()
    {
        MemoryAuditStorage log = await SealedAsync(Key, records: 8, days: 2);
        AuditCheckpoint checkpoint = Checkpoint(log);
        Assert.That(Verify(log, checkpoint).Checkpoint, Is.EqualTo(AuditCheckpointState.Matched));
        string last = log.Files.Keys.Where(static path => path.EndsWith(".jsonl", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Last();
        byte[][] lines = Lines(log.Files[last]);
        for (int keep = 1; keep < lines.Length; keep++)
        {
            MemoryAuditStorage cut = log.Copy();
            cut.Files[last] = [.. lines.Take(keep).SelectMany(static line => line)];
            AuditVerification found = Verify(cut, checkpoint);
            Assert.Multiple(() =>
            {
                Assert.That(Verify(cut).Verdict, Is.EqualTo(AuditVerdict.Valid), "the chain alone cannot see it");
                Assert.That((found.Verdict, found.Checkpoint), Is.EqualTo((AuditVerdict.Tampered, AuditCheckpointState.LogIsShorter)));
            });
        }

        MemoryAuditStorage gone = log.Copy();
        gone.Files.Clear();
        Assert.That(Verify(gone, checkpoint).Verdict, Is.EqualTo(AuditVerdict.Tampered));
    }

    [Test, AuditScenario("audit-012")]
    public async Task Audit012_ChainMadeAnew_FoundByKeyOrCheckpoint()
    {
        MemoryAuditStorage keyed = await SealedAsync(Key, records: 5, days: 1);
        MemoryAuditStorage forged = await SealedAsync([], records: 5, days: 1);
        Assert.Multiple(() =>
        {
            Assert.That(Verify(forged).Verdict, Is.EqualTo(AuditVerdict.Tampered), "a log without HMAC where a key is expected");
            Assert.That(AuditVerifier.Verify(forged, "/log", null, default).Verdict, Is.EqualTo(AuditVerdict.Valid), "plain hashes prove nothing against a writer");
            AuditVerification found = AuditVerifier.Verify(forged, "/log", new AuditVerifierOptions { Checkpoint = Checkpoint(keyed), CheckpointKey = Key }, default);
            Assert.That((found.Verdict, found.Checkpoint), Is.EqualTo((AuditVerdict.Tampered, AuditCheckpointState.LogDiffers)));
        });

        // The same log id, with a key that is not the host's.
        byte[] otherKey = [.. Enumerable.Range(2, 32).Select(static i => (byte)i)];
        MemoryAuditStorage other = await SealedAsync(otherKey, records: 5, days: 1);
        Assert.That(Verify(other).Verdict, Is.EqualTo(AuditVerdict.Unverifiable), "the key that its header names was not given");
    }

    [Test, AuditScenario("audit-013")]
    public async Task Audit013_OldCopyRestored_FoundByCheckpoint()
    {
        var storage = new MemoryAuditStorage();
        await RunAsync(storage, Key, records: 3, days: 1);
        MemoryAuditStorage old = storage.Copy();
        await RunAsync(storage, Key, records: 3, days: 1);
        AuditCheckpoint checkpoint = Checkpoint(storage);
        Assert.Multiple(() =>
        {
            Assert.That(Verify(storage, checkpoint).Verdict, Is.EqualTo(AuditVerdict.Valid));
            Assert.That(Verify(old).Verdict, Is.EqualTo(AuditVerdict.Valid));
            Assert.That(Verify(old, checkpoint).Checkpoint, Is.EqualTo(AuditCheckpointState.LogIsShorter));
        });

        // The old copy is continued: the same numbers, other hashes.
        await RunAsync(old, Key, records: 9, days: 1);
        Assert.That(Verify(old, checkpoint).Checkpoint, Is.EqualTo(AuditCheckpointState.LogDiffers));
    }

    [Test, AuditScenario("audit-014")]
    public async Task Audit014_OldSegmentsDeleted_RestVerifiesAndDeletionIsRecorded()
    {
        var storage = new MemoryAuditStorage();
        await RunAsync(storage, Key, records: 4, days: 12, retentionDays: 3);
        AuditVerification found = Verify(storage);
        string text = Encoding.ASCII.GetString([.. storage.Files.Where(static file => file.Key.EndsWith(".jsonl", StringComparison.Ordinal)).SelectMany(static file => file.Value)]);
        Assert.Multiple(() =>
        {
            Assert.That(found.Verdict, Is.EqualTo(AuditVerdict.Valid), found.Message);
            Assert.That(found.FirstSequence, Is.GreaterThan(1));
            Assert.That(storage.Files.Keys.Count(static path => path.EndsWith(".jsonl", StringComparison.Ordinal)), Is.EqualTo(4), "today and three days");
            Assert.That(text, Does.Contain("\"event\":\"retention\",\"detail\":{\"segment\":"));
        });

        // Somebody deletes one more than retention did.
        string oldest = storage.Files.Keys.Where(static path => path.EndsWith(".jsonl", StringComparison.Ordinal)).Order(StringComparer.Ordinal).First();
        storage.Files.Remove(oldest);
        Assert.That(Verify(storage).Verdict, Is.EqualTo(AuditVerdict.Tampered));
    }

    [Test, AuditScenario("audit-015")]
    public async Task Audit015_ManyThreadsAndASecondSink_TotalOrderAndRefusal()
    {
        using var folder = new AuditFolder();
        const int Writers = 64;
        const int Each = 200;
        await using (var sink = new AuditFileSink(folder.Options(), TimeProvider.System))
        {
            await sink.StartAsync(CancellationToken.None);
            await using (var second = new AuditFileSink(folder.Options(), TimeProvider.System))
            {
                Assert.That(async () => await second.StartAsync(CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>().With.Message.Contains("in use"));
                Assert.That(async () => await second.WriteAsync(AuditSamples.Intent("x"), CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>());
            }

            await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
            {
                for (int i = 0; i < Each; i++)
                {
                    await sink.WriteAsync(AuditSamples.Intent($"{writer}-{i}"), CancellationToken.None);
                }
            })));
        }

        List<JsonElement> records = folder.Records();
        Assert.Multiple(() =>
        {
            Assert.That(records.Select(static record => record.GetProperty("seq").GetInt64()), Is.EqualTo(Enumerable.Range(1, records.Count).Select(static i => (long)i)));
            string[] ids = [.. records.Where(static record => record.GetProperty("kind").GetString() == "intent").Select(static record => record.GetProperty("id").GetString()!)];
            Assert.That(ids, Has.Length.EqualTo(Writers * Each));
            foreach (IGrouping<string, int> writer in ids.Select(static id => id.Split('-')).GroupBy(static id => id[0], static id => int.Parse(id[1], CultureInfo.InvariantCulture)))
            {
                Assert.That(writer, Is.Ordered, "what one caller wrote first comes first");
            }

            Assert.That(AuditVerifier.Verify(folder.Log).Verdict, Is.EqualTo(AuditVerdict.Valid));
        });
    }

    [Test, AuditScenario("audit-016")]
    public async Task Audit016_ClockGoesBack_OrderIsByNumberAndVerifierOnlyWarns()
    {
        var storage = new MemoryAuditStorage();
        var time = new FakeTimeProvider(AuditSamples.Noon);
        var options = new AuditFileOptions { Directory = "/log" };
        await using (var sink = new AuditFileSink(options, storage, time))
        {
            await sink.StartAsync(CancellationToken.None);
            await sink.WriteAsync(AuditSamples.Intent("a", AuditSamples.Noon), CancellationToken.None);
            await sink.WriteAsync(AuditSamples.Intent("b", AuditSamples.Noon.AddDays(-3)), CancellationToken.None);
            await sink.WriteAsync(AuditSamples.Intent("c", AuditSamples.Noon.AddHours(-1)), CancellationToken.None);
        }

        await using (var earlier = new AuditFileSink(options, storage, new FakeTimeProvider(AuditSamples.Noon.AddDays(-2))))
        {
            await earlier.StartAsync(CancellationToken.None);
            await earlier.WriteAsync(AuditSamples.Intent("d"), CancellationToken.None);
        }

        AuditVerification found = AuditVerifier.Verify(storage, "/log", null, default);
        Assert.Multiple(() =>
        {
            Assert.That(found.Verdict, Is.EqualTo(AuditVerdict.Valid));
            Assert.That(found.ClockSteps, Is.GreaterThanOrEqualTo(2));
        });
    }

    [Test, AuditScenario("audit-018")]
    public async Task Audit018_ValuesThatCannotBeWritten_RecordIsWrittenWithTheReason()
    {
        using var folder = new AuditFolder();
        JsonDocument disposed = JsonDocument.Parse("""{"a":1}""");
        JsonElement gone = disposed.RootElement;
        disposed.Dispose();
        string deep = new string('[', 10_000) + new string(']', 10_000);
        JsonElement tooDeep = JsonDocument.Parse(deep, new JsonDocumentOptions { MaxDepth = 20_000 }).RootElement;
        JsonElement surrogate = JsonDocument.Parse("""{"a":"\ud800 \udc00\ud83d\ude00"}""").RootElement;
        JsonElement invalidUtf8 = JsonDocument.Parse(new byte[] { (byte)'"', (byte)'x', 0xff, 0xc3, (byte)'"' }).RootElement;
        JsonElement large = JsonDocument.Parse("{\"a\":\"" + new string('\u00e4', 100_000) + "\"}").RootElement;
        AuditRecord With(string id, JsonElement arguments, IReadOnlyList<string>? changes = null) =>
            new() { Kind = AuditKind.Outcome, Time = AuditSamples.Noon, DecisionId = id, Arguments = arguments, Changes = changes ?? [] };
        await WriteAsync(
            folder.Options(),
            TimeProvider.System,
            With("disposed", gone),
            With("deep", tooDeep),
            With("surrogate", surrogate),
            With("utf8", invalidUtf8),
            With("large", large),
            With("throwing", default, new ThrowingList()),
            With("null", default, [null!]),
            new AuditRecord { Kind = (AuditKind)99, Time = DateTimeOffset.MaxValue, Reason = new string('x', 100_000) + "\ud800", Duration = TimeSpan.MinValue });

        Dictionary<string, JsonElement> records = folder.Records().Where(static record => record.TryGetProperty("id", out _)).ToDictionary(static record => record.GetProperty("id").GetString()!);
        Assert.Multiple(() =>
        {
            Assert.That(AuditVerifier.Verify(folder.Log).Verdict, Is.EqualTo(AuditVerdict.Valid));
            Assert.That(folder.Records(), Has.Count.EqualTo(8 + 3));
            Assert.That(records["disposed"].GetProperty("notes").GetProperty("arguments").GetString(), Is.EqualTo("unreadable: ObjectDisposedException"));
            Assert.That(records["deep"].GetProperty("notes").GetProperty("arguments").GetProperty("reason").GetString(), Is.EqualTo("nested too deep to record"));
            Assert.That(records["deep"].GetProperty("notes").GetProperty("arguments").GetProperty("bytes").GetInt32(), Is.EqualTo(20_000));
            Assert.That(records["surrogate"].GetProperty("arguments").GetProperty("a").GetString(), Is.EqualTo("\ufffd \ufffd\ud83d\ude00"));
            Assert.That(records["surrogate"].GetProperty("notes").GetProperty("arguments").GetString(), Does.Contain("replaced"));
            Assert.That(records["utf8"].GetProperty("arguments").GetString(), Does.StartWith("x\ufffd"));
            Assert.That(records["large"].GetProperty("arguments").GetString(), Does.StartWith("{\"a\":\"").And.Length.LessThanOrEqualTo(16 * 1024));
            Assert.That(records["large"].GetProperty("notes").GetProperty("arguments").GetProperty("digest").GetString(), Does.StartWith("hmac-sha256:"));
            Assert.That(records["throwing"].GetProperty("notes").GetProperty("changes").GetString(), Does.StartWith("unreadable"));
        });
    }

    [Test, AuditScenario("audit-020")]
    public async Task Audit020_EveryDenialCode_OneRecordWithRuleAndDigest()
    {
        using var folder = new AuditFolder();
        AuditRecord[] denials = [.. GuardDenialCodes.All.Select((code, i) => new AuditRecord
        {
            Kind = AuditKind.Denial,
            Time = AuditSamples.Noon,
            DecisionId = AuditSamples.Id(i),
            Decision = "deny",
            Code = code,
            Rule = "rule-" + code,
            ArgumentsDigest = "hmac-sha256:00",
        })];
        await WriteAsync(folder.Options(), TimeProvider.System, denials);
        var reader = new AuditFileReader(folder.Log);
        for (int i = 0; i < denials.Length; i++)
        {
            var found = new List<AuditEntry>();
            await foreach (AuditEntry entry in reader.ReadAsync(new AuditQuery { DecisionId = AuditSamples.Id(i) }))
            {
                found.Add(entry);
            }

            Assert.That(found, Has.Count.EqualTo(1));
            AuditRecord record = found[0].ToRecord();
            Assert.That((record.Code, record.Rule, record.ArgumentsDigest), Is.EqualTo((denials[i].Code, denials[i].Rule, "hmac-sha256:00")));
        }
    }

    [Test, AuditScenario("audit-021")]
    public async Task Audit021_FilesThatAreNoLogs_VerdictWithoutExceptionOrGrowth()
    {
        MemoryAuditStorage log = await SealedAsync([], records: 5, days: 1);
        (string path, byte[] original) = log.Files.Single(static file => file.Key.EndsWith(".jsonl", StringComparison.Ordinal));
        byte[] converted = Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(original).Replace("\n", "\r\n", StringComparison.Ordinal));
        byte[] random = new byte[300_000];
        new Random(7).NextBytes(random);
        (byte[] Content, AuditVerdict Verdict)[] cases =
        [
            ([], AuditVerdict.Torn),
            (random, AuditVerdict.Tampered),
            (converted, AuditVerdict.Tampered),
            ([.. original, .. original], AuditVerdict.Tampered),
            ([0xef, 0xbb, 0xbf, .. original], AuditVerdict.Tampered),
            ([.. original, .. new byte[3_000_000]], AuditVerdict.Torn),
            ([.. original, (byte)'\n'], AuditVerdict.Tampered),
            ([.. "{}\n"u8], AuditVerdict.Tampered),
            ([.. "\n\n\n"u8], AuditVerdict.Tampered),
            ([.. Enumerable.Repeat((byte)'[', 2_000_000)], AuditVerdict.Tampered),
            (original[..^10], AuditVerdict.Torn),
        ];
        foreach ((byte[] content, AuditVerdict verdict) in cases)
        {
            log.Files[path] = content;
            AuditVerification found = AuditVerifier.Verify(log, "/log", null, default);
            Assert.That(found.Verdict, Is.EqualTo(verdict), found.Message);
            Assert.That(found.Message, Is.Not.Empty);
        }

        Assert.Multiple(() =>
        {
            Assert.That(AuditVerifier.VerifySegment(new MemoryStream()).Verdict, Is.EqualTo(AuditVerdict.Empty));
            Assert.That(AuditVerifier.VerifySegment(new MemoryStream(original)).Verdict, Is.EqualTo(AuditVerdict.Valid));
            Assert.That(AuditVerifier.Verify("/no/such/folder").Verdict, Is.EqualTo(AuditVerdict.Unverifiable));
            Assert.That(AuditVerifier.VerifySegment(new EndlessStream(10L << 30, (byte)'a')).Verdict, Is.EqualTo(AuditVerdict.Tampered), "no line feed in 10 GB");
        });
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(AuditVerifier.VerifySegment(new EndlessStream(10L << 30, 0)).Verdict, Is.EqualTo(AuditVerdict.Torn), "10 GB of NUL bytes are read to their end");
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(8 * 1024 * 1024), "whatever the size");
    }

    internal static AuditCheckpoint Checkpoint(MemoryAuditStorage storage)
    {
        Assert.That(AuditCheckpoint.TryParse(storage.Files["/elsewhere/checkpoint"], out AuditCheckpoint? checkpoint), Is.True);
        return checkpoint!;
    }

    /// <summary>A log that was closed in order.</summary>
    internal static async Task<MemoryAuditStorage> SealedAsync(byte[] key, int records, int days)
    {
        var storage = new MemoryAuditStorage();
        await RunAsync(storage, key, records, days);
        return storage;
    }

    internal static byte[][] Lines(byte[] content)
    {
        var lines = new List<byte[]>();
        for (int start = 0; start < content.Length;)
        {
            int end = content.AsSpan(start).IndexOf((byte)'\n');
            int length = end < 0 ? content.Length - start : end + 1;
            lines.Add(content[start..(start + length)]);
            start += length;
        }

        return [.. lines];
    }

    internal static AuditVerification Verify(MemoryAuditStorage storage, AuditCheckpoint? checkpoint = null) =>
        AuditVerifier.Verify(storage, "/log", new AuditVerifierOptions { ChainKeys = [Key], Checkpoint = checkpoint, CheckpointKey = checkpoint is null ? default : Key }, default);

    private static async Task RunAsync(MemoryAuditStorage storage, byte[] key, int records, int days, int retentionDays = 30)
    {
        var time = new FakeTimeProvider(AuditSamples.Noon);
        var options = new AuditFileOptions
        {
            Directory = "/log",
            ChainKey = key,
            CheckpointKey = Key,
            CheckpointPath = "/elsewhere/checkpoint",
            RetentionDays = retentionDays,
        };
        await using var sink = new AuditFileSink(options, storage, time);
        await sink.StartAsync(CancellationToken.None);
        for (int day = 0; day < days; day++)
        {
            for (int i = 0; i < records; i++)
            {
                await sink.WriteAsync(AuditSamples.Outcome(AuditSamples.Id(i), time.GetUtcNow()), CancellationToken.None);
            }

            if (day + 1 < days)
            {
                time.Advance(TimeSpan.FromDays(1));
            }
        }
    }

    private static async Task WriteAsync(AuditFileOptions options, TimeProvider time, params AuditRecord[] records)
    {
        await using var sink = new AuditFileSink(options, time);
        await sink.StartAsync(CancellationToken.None);
        foreach (AuditRecord record in records)
        {
            await sink.WriteAsync(record, CancellationToken.None);
        }
    }
}
