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
}
