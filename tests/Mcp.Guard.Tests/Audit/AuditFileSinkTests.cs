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
}
