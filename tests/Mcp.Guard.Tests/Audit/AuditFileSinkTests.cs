using Mcp.Guard.Audit;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Audit;

[TestFixture]
internal sealed class AuditFileSinkTests
{
    [TestCase(AuditDurability.Flushed)]
    [TestCase(AuditDurability.Durable)]
    public async Task WriteAsync_AfterItReturned_RecordIsInTheFile(AuditDurability durability)
    {
        using var folder = new AuditFolder();
        AuditFileOptions options = folder.Options();
        options.Durability = durability;
        await using var sink = new AuditFileSink(options, TimeProvider.System);
        await sink.StartAsync(CancellationToken.None);
        await sink.WriteAsync(AuditSamples.Intent("a"), CancellationToken.None);
        string text = File.ReadAllText(folder.Segments()[0]);
        Assert.That(text, Does.Contain("\"id\":\"a\"").And.EndsWith("\"}\n"));
    }

    [Test]
    public async Task DisposeAsync_AfterRecords_LogVerifies()
    {
        using var folder = new AuditFolder();
        await using (var sink = new AuditFileSink(folder.Options(), new FakeTimeProvider(AuditSamples.Noon)))
        {
            await sink.StartAsync(CancellationToken.None);
            for (int i = 0; i < 100; i++)
            {
                await sink.WriteAsync(AuditSamples.Intent(AuditSamples.Id(i)), CancellationToken.None);
                await sink.WriteAsync(AuditSamples.Outcome(AuditSamples.Id(i)), CancellationToken.None);
            }
        }

        AuditVerification verification = AuditVerifier.Verify(folder.Log);
        Assert.Multiple(() =>
        {
            Assert.That(verification.Message, Is.EqualTo("every record is in order"));
            Assert.That(verification.Verdict, Is.EqualTo(AuditVerdict.Valid));
            Assert.That(verification.Records, Is.EqualTo(203), "header, opened, 200 records, closed");
            Assert.That(folder.Records(), Has.Count.EqualTo(203));
        });
    }

    [Test]
    public async Task WriteAsync_BeforeStartAndAfterClose_IsRefusedAtOnce()
    {
        using var folder = new AuditFolder();
        var sink = new AuditFileSink(folder.Options(), TimeProvider.System);
        Assert.That(async () => await sink.WriteAsync(AuditSamples.Intent("early"), CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>());
        await sink.StartAsync(CancellationToken.None);
        await sink.DisposeAsync();
        Assert.That(async () => await sink.WriteAsync(AuditSamples.Intent("late"), CancellationToken.None), Throws.InstanceOf<AuditUnavailableException>());
    }

    [Test]
    public async Task StartAsync_SegmentTornOnADayBefore_IsCutBeforeTheNextOneFollows()
    {
        var storage = new MemoryAuditStorage();
        var options = new AuditFileOptions { Directory = "/log" };
        await using (var sink = new AuditFileSink(options, storage, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await sink.StartAsync(CancellationToken.None);
        }

        string path = storage.Files.Keys.Single(static name => name.EndsWith(".jsonl", StringComparison.Ordinal));
        storage.Files[path] = [.. storage.Files[path], .. "{\"seq\":4,\"time\":\"2026"u8];
        Assert.That(AuditVerifier.Verify(storage, "/log", null, default).Verdict, Is.EqualTo(AuditVerdict.Torn));
        await using (var sink = new AuditFileSink(options, storage, new FakeTimeProvider(AuditSamples.Noon.AddDays(1))))
        {
            await sink.StartAsync(CancellationToken.None);
        }

        Assert.Multiple(() =>
        {
            Assert.That(AuditVerifier.Verify(storage, "/log", null, default).Verdict, Is.EqualTo(AuditVerdict.Valid));
            Assert.That(storage.Files[path + ".torn-4"], Is.EqualTo("{\"seq\":4,\"time\":\"2026"u8.ToArray()));
        });
    }

    /// <summary>20,000 records; 1,000,000 where MCP_GUARD_LONG=1.</summary>
    [Test]
    public async Task WriteAsync_SixteenWriters_NoGapInOrderAndMemoryBounded()
    {
        int each = string.Equals(Environment.GetEnvironmentVariable("MCP_GUARD_LONG"), "1", StringComparison.Ordinal) ? 62_500 : 1_250;
        using var folder = new AuditFolder();
        long held;
        await using (var sink = new AuditFileSink(folder.Options(), TimeProvider.System))
        {
            await sink.StartAsync(CancellationToken.None);
            long before = GC.GetTotalMemory(forceFullCollection: true);
            await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
            {
                for (int i = 0; i < each; i++)
                {
                    await sink.WriteAsync(AuditSamples.Intent($"{writer}-{i}"), CancellationToken.None);
                    await sink.WriteAsync(AuditSamples.Outcome($"{writer}-{i}"), CancellationToken.None);
                }
            })));
            held = GC.GetTotalMemory(forceFullCollection: true) - before;
        }

        AuditVerification found = AuditVerifier.Verify(folder.Log);
        Assert.Multiple(() =>
        {
            Assert.That(found.Verdict, Is.EqualTo(AuditVerdict.Valid), found.Message);
            Assert.That(found.LastSequence, Is.GreaterThan(16 * each * 2), "the verifier counts without gaps");
            Assert.That(held, Is.LessThan(16 * 1024 * 1024));
        });
    }

    /// <summary>Whoever is alone waits for no other thread to wake.</summary>
    [TestCase(AuditDurability.Flushed, true)]
    [TestCase(AuditDurability.Durable, false)]
    public async Task WriteAsync_OneRecordAtATime_IsWrittenByThePoolWhereNothingIsSynchronised(AuditDurability durability, bool byPool)
    {
        var storage = new MemoryAuditStorage();
        var faulty = new FaultyAuditStorage(storage);
        var options = new AuditFileOptions { Directory = "/log", Durability = durability };
        var writers = new List<bool>();
        await using (var sink = new AuditFileSink(options, faulty, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await sink.StartAsync(CancellationToken.None);
            await sink.WriteAsync(AuditSamples.Intent("first"), CancellationToken.None);
            await Eventually.True(() => sink.IsIdle);
            faulty.Plan = (_, name) =>
            {
                if (name == "write")
                {
                    writers.Add(Thread.CurrentThread.IsThreadPoolThread);
                }

                return AuditFault.None;
            };
            for (int i = 0; i < 100; i++)
            {
                await sink.WriteAsync(AuditSamples.Intent(AuditSamples.Id(i)), CancellationToken.None);
            }

            faulty.Plan = static (_, _) => AuditFault.None;
        }

        Assert.Multiple(() =>
        {
            Assert.That(writers, Has.Count.EqualTo(100));
            Assert.That(writers.Contains(true), Is.EqualTo(byPool), "by the pool, but for what comes while it is busy with others' work");
            Assert.That(AuditVerifier.Verify(storage, "/log", null, default).Verdict, Is.EqualTo(AuditVerdict.Valid));
        });
    }

    /// <summary>A host that blocks the pool's threads makes its own calls slow; the log goes on by its own thread, and no record is refused for it.</summary>
    [Test]
    public async Task WriteAsync_PoolHasABacklog_IsWrittenByTheLogsOwnThread()
    {
        var faulty = new FaultyAuditStorage(new MemoryAuditStorage());
        await using var sink = new AuditFileSink(new AuditFileOptions { Directory = "/log" }, faulty, new FakeTimeProvider(AuditSamples.Noon));
        await sink.StartAsync(CancellationToken.None);
        await sink.WriteAsync(AuditSamples.Intent("first"), CancellationToken.None);
        await Eventually.True(() => sink.IsIdle);
        var written = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        faulty.Plan = (_, name) =>
        {
            if (name == "write")
            {
                written.TrySetResult(Thread.CurrentThread.IsThreadPoolThread);
            }

            return AuditFault.None;
        };
        using var free = new ManualResetEventSlim();
        ThreadPool.GetMinThreads(out int least, out _);
        Task blocked = Task.CompletedTask;
        bool byPool = true;
        var caller = new Thread(() =>
        {
            blocked = Task.WhenAll(Enumerable.Range(0, least + 200).Select(_ => Task.Run(() => free.Wait(TimeSpan.FromSeconds(60)))));
            _ = sink.WriteAsync(AuditSamples.Intent("behind them"), CancellationToken.None).AsTask();
            byPool = !written.Task.Wait(TimeSpan.FromSeconds(50)) || written.Task.Result;
            free.Set();
        });
        caller.Start();
        caller.Join();
        await blocked;
        Assert.That(byPool, Is.False);
    }

    /// <summary>The write never runs on the caller's own stack: where the device hangs, the caller is free and its time-out tells it.</summary>
    [Test]
    public async Task WriteAsync_DeviceHangs_ReturnsToItsCallerAtOnce()
    {
        var faulty = new FaultyAuditStorage(new MemoryAuditStorage());
        await using var sink = new AuditFileSink(new AuditFileOptions { Directory = "/log" }, faulty, new FakeTimeProvider(AuditSamples.Noon));
        await sink.StartAsync(CancellationToken.None);
        await sink.WriteAsync(AuditSamples.Intent("first"), CancellationToken.None);
        await Eventually.True(() => sink.IsIdle);
        faulty.Plan = static (_, name) => name == "write" ? AuditFault.Hold : AuditFault.None;
        bool wasDone = false;
        using var cancel = new CancellationTokenSource();
        Task hanging = await Task.Run(() =>
        {
            Task write = sink.WriteAsync(AuditSamples.Intent("hangs"), cancel.Token).AsTask();
            wasDone = write.IsCompleted;
            return Task.FromResult(write);
        });
        faulty.Held.Wait();
        Assert.That(wasDone, Is.False);
        await cancel.CancelAsync();
        Assert.That(async () => await hanging, Throws.InstanceOf<OperationCanceledException>());
        faulty.Gate.Set();
    }

    /// <summary>The right to write goes back and forth between the pool and the log's own thread, segments end and notes are due meanwhile.</summary>
    [TestCase(AuditDurability.Flushed)]
    [TestCase(AuditDurability.BestEffort)]
    public async Task WriteAsync_AloneAndTogetherInTurn_EveryRecordOnceAndInOrder(AuditDurability durability)
    {
        const int Each = 400;
        var storage = new MemoryAuditStorage();
        var options = new AuditFileOptions { Directory = "/log", Durability = durability, SegmentBytes = 64 * 1024, CheckpointPath = "/elsewhere/checkpoint", CheckpointRecords = 50 };
        await using (var sink = new AuditFileSink(options, storage, new FakeTimeProvider(AuditSamples.Noon)))
        {
            await sink.StartAsync(CancellationToken.None);
            await Task.WhenAll(Enumerable.Range(0, 3).Select(writer => Task.Run(async () =>
            {
                for (int i = 0; i < Each; i++)
                {
                    await sink.WriteAsync(AuditSamples.Intent($"{writer}-{i}"), CancellationToken.None);
                    for (int pause = 0; pause < i % 7 * writer; pause++)
                    {
                        await Task.Yield();
                    }
                }
            })));
        }

        AuditVerification found = AuditVerifier.Verify(storage, "/log", null, default);
        var ids = new List<string>();
        foreach (string path in storage.Files.Keys.Where(static name => name.EndsWith(".jsonl", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            ids.AddRange(System.Text.Encoding.ASCII.GetString(storage.Files[path]).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(static line => line.Contains("\"kind\":\"intent\"", StringComparison.Ordinal))
                .Select(static line => System.Text.Json.JsonElement.Parse(line).GetProperty("id").GetString()!));
        }

        Assert.Multiple(() =>
        {
            Assert.That(found.Verdict, Is.EqualTo(AuditVerdict.Valid), found.Message);
            Assert.That(ids, Has.Count.EqualTo(3 * Each).And.Unique);
            for (int writer = 0; writer < 3; writer++)
            {
                string own = $"{writer}-";
                Assert.That(ids.Where(id => id.StartsWith(own, StringComparison.Ordinal)), Is.EqualTo(Enumerable.Range(0, Each).Select(i => own + i)));
            }
        });
    }
}
