using Mcp.Guard.Audit;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Audit;

[TestFixture]
internal sealed class AuditFaultTests
{
    private const string Folder = "/log";
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(static i => (byte)i)];

    [TestCase(AuditDurability.Flushed, AuditFault.Fail, 1)]
    [TestCase(AuditDurability.Durable, AuditFault.Fail, 1)]
    [TestCase(AuditDurability.Durable, AuditFault.Fail, 2)]
    [TestCase(AuditDurability.Durable, AuditFault.Fail, 5)]
    [TestCase(AuditDurability.Durable, AuditFault.Fail, int.MaxValue)]
    [TestCase(AuditDurability.Flushed, AuditFault.Shorten, 1)]
    [TestCase(AuditDurability.Durable, AuditFault.Shorten, 1)]
    [TestCase(AuditDurability.Durable, AuditFault.Delay, 1)]
    public async Task WriteAsync_EachOperationFaultyInTurn_ChainVerifiesAndNothingAcknowledgedIsLost(AuditDurability durability, AuditFault fault, int length)
    {
        (int operations, _, _) = await RunAsync(durability, static (_, _) => AuditFault.None);
        Assert.That(operations, Is.GreaterThan(40), "the work must reach writes, synchronisations, renames and deletions");
        for (int first = 0; first < operations; first++)
        {
            int from = first;
            await RunAsync(durability, (number, _) => number >= from && number - from < length ? fault : AuditFault.None);
        }
    }

    /// <summary>A shortened write whose rest then fails: the file holds a piece of the batch.</summary>
    [TestCase(AuditDurability.Flushed)]
    [TestCase(AuditDurability.Durable)]
    public async Task WriteAsync_EachWriteCutAndThenFailed_ChainVerifiesAndNothingAcknowledgedIsLost(AuditDurability durability)
    {
        (int operations, _, _) = await RunAsync(durability, static (_, _) => AuditFault.None);
        for (int first = 0; first < operations; first++)
        {
            int from = first;
            await RunAsync(durability, (number, name) =>
                number == from && name == "write" ? AuditFault.Shorten : number > from && number < from + 4 ? AuditFault.Fail : AuditFault.None);
        }
    }

    [Test]
    public async Task WriteAsync_Operations_CoverEveryKind()
    {
        (_, List<string> log, _) = await RunAsync(AuditDurability.Durable, static (_, _) => AuditFault.None);
        Assert.That(
            log.Distinct(),
            Is.SupersetOf(new[] { "createDirectory", "lock", "list", "create", "openRead", "open", "rename", "delete", "sync", "syncDirectory", "setLength", "write" }));
    }

    [TestCase(AuditDurability.Durable, "write")]
    [TestCase(AuditDurability.Durable, "sync")]
    [TestCase(AuditDurability.Flushed, "write")]
    public async Task WriteAsync_OperationHangs_CallsAreRefusedInTimeAndLaterOnesAreWritten(AuditDurability durability, string held)
    {
        var storage = new MemoryAuditStorage();
        var faulty = new FaultyAuditStorage(storage);
        var time = new FakeTimeProvider(AuditSamples.Noon);
        AuditFileOptions options = Options(durability);
        await using (var sink = new AuditFileSink(options, faulty, time))
        {
            await sink.StartAsync(CancellationToken.None);
            await sink.WriteAsync(AuditSamples.Intent("before"), CancellationToken.None);
            await Eventually.True(() => sink.IsIdle);
            faulty.Plan = (_, name) => name == held ? AuditFault.Hold : AuditFault.None;
            Task hanging = sink.WriteAsync(AuditSamples.Intent("hanging"), CancellationToken.None).AsTask();
            faulty.Held.Wait();
            Task queued = sink.WriteAsync(AuditSamples.Intent("queued"), CancellationToken.None).AsTask();
            Task outcome = sink.WriteAsync(AuditSamples.Outcome("before"), CancellationToken.None).AsTask();
            time.Advance(options.WriteTimeout * 2);
            Assert.Multiple(() =>
            {
                Assert.That(async () => await hanging, Throws.InstanceOf<AuditUnavailableException>());
                Assert.That(async () => await queued, Throws.InstanceOf<AuditUnavailableException>());
                Assert.That(async () => await outcome, Throws.InstanceOf<AuditUnavailableException>());
                Assert.That(async () => await sink.WriteAsync(AuditSamples.Intent("refused"), CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>());
                Assert.That(sink.Health.State, Is.EqualTo(AuditFileState.Unavailable));
            });
            faulty.Plan = static (_, _) => AuditFault.None;
            faulty.Gate.Set();
            await WriteUntilTakenAsync(sink, "after");
        }

        string text = Text(storage);
        Assert.Multiple(() =>
        {
            Assert.That(AuditVerifier.Verify(storage, Folder, Keys(), default).Verdict, Is.EqualTo(AuditVerdict.Valid));
            Assert.That(text, Does.Contain("\"event\":\"intentWithdrawn\",\"id\":\"hanging\""), "the intent was under way and is taken back");
            Assert.That(text, Does.Not.Contain("\"id\":\"queued\""), "a call refused while it waited leaves no intent");
            Assert.That(text, Does.Contain("\"kind\":\"outcome\",\"id\":\"before\""), "what happened is told, even late");
            Assert.That(text, Does.Contain("\"event\":\"resumed\""));
        });
    }

    [Test]
    public async Task WriteAsync_DiskFullThenFree_RefusesAndGoesOnByItself()
    {
        var storage = new MemoryAuditStorage();
        var faulty = new FaultyAuditStorage(storage);
        await using (var sink = new AuditFileSink(Options(AuditDurability.Flushed), faulty, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await sink.StartAsync(CancellationToken.None);
            await sink.WriteAsync(AuditSamples.Intent("first"), CancellationToken.None);
            faulty.Plan = static (_, name) => name is "write" ? AuditFault.Fail : AuditFault.None;
            for (int i = 0; i < 20; i++)
            {
                Assert.That(
                    async () => await sink.WriteAsync(AuditSamples.Intent("full"), CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>());
            }

            Assert.That(sink.Health.State, Is.EqualTo(AuditFileState.Unavailable));
            faulty.Plan = static (_, _) => AuditFault.None;
            await sink.WriteAsync(AuditSamples.Intent("free"), CancellationToken.None);
            Assert.That(sink.Health.State, Is.EqualTo(AuditFileState.Healthy));
        }

        string text = Text(storage);
        Assert.Multiple(() =>
        {
            Assert.That(AuditVerifier.Verify(storage, Folder, Keys(), default).Verdict, Is.EqualTo(AuditVerdict.Valid));
            Assert.That(text, Does.Not.Contain("\"id\":\"full\""));
            Assert.That(text, Does.Contain("\"event\":\"resumed\",\"detail\":{\"refused\":20,\"dropped\":0}"));
        });
    }

    [Test]
    public async Task WriteAsync_BestEffortAndDiskFull_NeverThrowsAndCountsWhatIsLost()
    {
        var storage = new MemoryAuditStorage();
        var faulty = new FaultyAuditStorage(storage);
        await using (var sink = new AuditFileSink(Options(AuditDurability.BestEffort), faulty, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await sink.StartAsync(CancellationToken.None);
            faulty.Plan = static (_, name) => name is "write" ? AuditFault.Fail : AuditFault.None;
            for (int i = 0; i < 10; i++)
            {
                await sink.WriteAsync(AuditSamples.Intent("lost"), CancellationToken.None);
            }

            SpinWait.SpinUntil(() => sink.Health.Dropped == 10, TimeSpan.FromSeconds(30));
            Assert.That(sink.Health.Dropped, Is.EqualTo(10));
            faulty.Plan = static (_, _) => AuditFault.None;
            await sink.WriteAsync(AuditSamples.Intent("kept"), CancellationToken.None);
        }

        Assert.Multiple(() =>
        {
            Assert.That(AuditVerifier.Verify(storage, Folder, Keys(), default).Verdict, Is.EqualTo(AuditVerdict.Valid));
            Assert.That(Text(storage), Does.Contain("\"id\":\"kept\"").And.Contain("\"dropped\":10"));
        });
    }

    private static AuditFileOptions Options(AuditDurability durability) => new()
    {
        Directory = Folder,
        Durability = durability,
        RetentionDays = 1,
        ChainKey = Key,
        CheckpointPath = "/elsewhere/checkpoint",
        CheckpointRecords = 3,
    };

    private static AuditVerifierOptions Keys() => new() { ChainKeys = [Key] };

    private static string Text(MemoryAuditStorage storage) =>
        string.Concat(storage.Files.Where(static file => file.Key.EndsWith(".jsonl", StringComparison.Ordinal)).OrderBy(static file => file.Key, StringComparer.Ordinal)
            .Select(static file => System.Text.Encoding.ASCII.GetString(file.Value)));

    private static async Task WriteUntilTakenAsync(AuditFileSink sink, string id)
    {
        // The writer lifts the refusal when it is back at its queue.
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                await sink.WriteAsync(AuditSamples.Intent(id), CancellationToken.None);
                return;
            }
            catch (AuditUnavailableException) when (attempt < 1_000_000)
            {
                await Task.Yield();
            }
        }
    }

    /// <summary>
    /// Two runs over five days with a crash between them, one of whose file operations is faulty; then a start without faults. Retention deletes the first days, so what is
    /// acknowledged is looked for in those that remain.
    /// </summary>
    private static async Task<(int Operations, List<string> Log, MemoryAuditStorage Storage)> RunAsync(
        AuditDurability durability, Func<int, string, AuditFault> plan)
    {
        var storage = new MemoryAuditStorage();
        var faulty = new FaultyAuditStorage(storage) { Plan = plan };
        var time = new FakeTimeProvider(AuditSamples.Noon);
        var acknowledged = new List<string>();
        var refused = new List<string>();
        for (int run = 0; run < 2; run++)
        {
            if (run == 1)
            {
                TearTail(storage);
            }

            await using var sink = new AuditFileSink(Options(durability), faulty, time);
            try
            {
                await sink.StartAsync(CancellationToken.None);
            }
            catch (IOException)
            {
                // The sink stays usable and tries again with each record.
            }

            for (int day = 0; day < 3; day++)
            {
                for (int i = 0; i < 2; i++)
                {
                    string id = $"run{run}-day{day}-{i}";
                    try
                    {
                        await sink.WriteAsync(AuditSamples.Intent(id, time.GetUtcNow()), CancellationToken.None);
                        acknowledged.Add(id);
                        await sink.WriteAsync(AuditSamples.Outcome(id, time.GetUtcNow()), CancellationToken.None);
                    }
                    catch (AuditUnavailableException)
                    {
                        refused.Add(id);
                    }
                }

                if (day < 2)
                {
                    time.Advance(TimeSpan.FromDays(1));
                }
            }
        }

        await using (var last = new AuditFileSink(Options(durability), storage, time))
        {
            await last.StartAsync(CancellationToken.None);
        }

        string text = Text(storage);
        AuditVerification verification = AuditVerifier.Verify(storage, Folder, Keys(), default);
        Assert.That(verification.Verdict, Is.EqualTo(AuditVerdict.Valid), $"{verification.Message} {verification.BadFile}:{verification.BadLine}");
        foreach (string id in acknowledged)
        {
            // Retention has deleted the days before the last two.
            if (id.StartsWith("run1-day1", StringComparison.Ordinal) || id.StartsWith("run1-day2", StringComparison.Ordinal))
            {
                Assert.That(text, Does.Contain($"\"kind\":\"intent\",\"id\":\"{id}\""));
            }
        }

        foreach (string id in refused.Except(acknowledged, StringComparer.Ordinal))
        {
            if (text.Contains($"\"kind\":\"intent\",\"id\":\"{id}\"", StringComparison.Ordinal))
            {
                Assert.That(text, Does.Contain($"\"event\":\"openIntent\",\"id\":\"{id}\"").Or.Contain($"\"event\":\"intentWithdrawn\",\"id\":\"{id}\""));
            }
        }

        return (faulty.Operations, faulty.Log, storage);
    }

    /// <summary>Leaves what a crash in the middle of a write leaves.</summary>
    private static void TearTail(MemoryAuditStorage storage)
    {
        string? newest = storage.Files.Keys.Where(static path => path.EndsWith(".jsonl", StringComparison.Ordinal)).Order(StringComparer.Ordinal).LastOrDefault();
        if (newest is not null)
        {
            storage.Files[newest] = [.. storage.Files[newest], .. "{\"seq\":99,\"ti"u8];
        }
    }
}
