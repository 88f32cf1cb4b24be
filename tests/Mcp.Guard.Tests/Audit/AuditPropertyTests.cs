using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Audit;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Audit;

[TestFixture]
internal sealed class AuditPropertyTests
{
    private static int Cases => string.Equals(Environment.GetEnvironmentVariable("MCP_GUARD_LONG"), "1", StringComparison.Ordinal) ? 100_000 : 2_000;

    [Test]
    public async Task Verify_SealedLogWithAnyDeletionInsertionSwapOrTruncation_IsNeverValid()
    {
        MemoryAuditStorage log = await AuditScenarioTests.SealedAsync([.. Enumerable.Range(1, 32).Select(static i => (byte)i)], records: 6, days: 3);
        AuditCheckpoint checkpoint = AuditScenarioTests.Checkpoint(log);
        string[] paths = [.. log.Files.Keys.Where(static path => path.EndsWith(".jsonl", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Gen<(int, int, int, byte[])> changes = from kind in Gen.Choose(0, 6)
                                               from a in Gen.Choose(0, int.MaxValue - 1)
                                               from b in Gen.Choose(0, int.MaxValue - 1)
                                               from bytes in Gen.ArrayOf(Gen.Choose(0, 255).Select(static i => (byte)i))
                                               select (kind, a, b, bytes);
        Prop.ForAll(changes.ToArbitrary(), change =>
        {
            MemoryAuditStorage changed = log.Copy();
            string path = paths[change.Item2 % paths.Length];
            changed.Files[path] = Change(log.Files[path], change.Item1, change.Item2 / paths.Length, change.Item3, change.Item4);
            return changed.Files[path].AsSpan().SequenceEqual(log.Files[path]) || AuditScenarioTests.Verify(changed, checkpoint).Verdict != AuditVerdict.Valid;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases).WithReplay(20261122, 1));
    }

    [Test]
    public void VerifySegment_AnyBytes_GivesAVerdict()
    {
        Gen<byte[]> bytes = Gen.OneOf(
            Gen.ArrayOf(Gen.Choose(0, 255).Select(static i => (byte)i)),
            Gen.ArrayOf(Gen.Elements("{\"seq\":1,\"prev\":\"", "\",\"hash\":\"", "\"}\n", "\n", new string('0', 64), "{", "\"event\":\"segment\"", ",\"detail\":{", "\0", "é"))
                .Select(static parts => Encoding.UTF8.GetBytes(string.Concat(parts))));
        Prop.ForAll(bytes.ToArbitrary(), static content =>
        {
            using var stream = new MemoryStream(content);
            return AuditVerifier.VerifySegment(stream).Verdict != AuditVerdict.Valid;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases).WithReplay(20261122, 1));
    }

    [Test]
    public void Write_AnyTexts_OneLineOfJsonThatReadsBack()
    {
        var writer = new AuditRecordWriter(4096, new AuditDigest(new byte[32]));
        Gen<char> characters = Gen.OneOf(
            Gen.Choose(0, 0x2f).Select(static i => (char)i), Gen.Choose(0x20, 0x7e).Select(static i => (char)i), Gen.Choose(0, 0xffff).Select(static i => (char)i), Gen.Choose(0xd800, 0xdfff).Select(static i => (char)i));
        Prop.ForAll(Gen.ArrayOf(characters).ToArbitrary(), chars =>
        {
            string text = new(chars);
            var buffer = new AuditBuffer();
            buffer.Raw((byte)'{');
            writer.Write(new AuditRecord { Kind = AuditKind.Denial, Time = AuditSamples.Noon, Target = text }, buffer);
            buffer.Raw((byte)'}');
            using var document = System.Text.Json.JsonDocument.Parse(Encoding.ASCII.GetString(buffer.Written));
            return !buffer.Written.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e)
                && document.RootElement.GetProperty("target").GetString() == WithoutLoneSurrogates(text);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases).WithReplay(20261122, 1));
    }

    [Test]
    public async Task Retain_YearOfDays_SizeIsBoundedAndTheRestVerifies()
    {
        const int Retention = 30;
        var storage = new MemoryAuditStorage();
        var time = new FakeTimeProvider(AuditSamples.Noon);
        var options = new AuditFileOptions { Directory = "/log", RetentionDays = Retention, WriteTimeout = TimeSpan.FromMinutes(5), CheckpointPath = "/elsewhere/checkpoint" };
        long largestDay = 0;
        await using (var sink = new AuditFileSink(options, storage, time))
        {
            await sink.StartAsync(CancellationToken.None);
            for (int day = 0; day < 365; day++)
            {
                long before = storage.TotalBytes;
                for (int i = 0; i < 10; i++)
                {
                    string id = AuditSamples.Id((day * 10) + i);
                    await sink.WriteAsync(AuditSamples.Intent(id, time.GetUtcNow()), CancellationToken.None);
                    await sink.WriteAsync(AuditSamples.Outcome(id, time.GetUtcNow()), CancellationToken.None);
                }

                largestDay = long.Max(largestDay, storage.TotalBytes - before);
                Assert.That(storage.TotalBytes, Is.LessThan((Retention + 3) * (largestDay + 2_000)), $"day {day}");

                // A day that passes while the writer is at work is a write that takes a day: the sink refuses what waits for it, as it must.
                await Eventually.True(() => sink.IsIdle, TimeSpan.FromMinutes(1));
                time.Advance(TimeSpan.FromDays(1));
            }
        }

        AuditVerification found = AuditVerifier.Verify(storage, "/log", new AuditVerifierOptions { Checkpoint = AuditScenarioTests.Checkpoint(storage) }, default);
        Assert.Multiple(() =>
        {
            Assert.That(found.Verdict, Is.EqualTo(AuditVerdict.Valid), found.Message);
            Assert.That(found.Checkpoint, Is.EqualTo(AuditCheckpointState.Matched));
            Assert.That(found.Segments, Is.InRange(Retention, Retention + 2));
            Assert.That(found.LastSequence, Is.GreaterThan(365 * 20));
        });
    }

    private static byte[] Change(byte[] content, int kind, int a, int b, byte[] bytes)
    {
        int at = a % content.Length;
        int length = b % (content.Length - at) + 1;
        byte[][] lines = AuditScenarioTests.Lines(content);
        int first = a % lines.Length;
        int second = b % lines.Length;
        switch (kind)
        {
            case 0:
                byte[] flipped = [.. content];
                flipped[at] ^= (byte)(1 << (b % 8));
                return flipped;
            case 1:
                return [.. content[..at], .. content[(at + length)..]];
            case 2:
                return [.. content[..at], .. bytes, .. content[at..]];
            case 3:
                (lines[first], lines[second]) = (lines[second], lines[first]);
                break;
            case 4:
                return content[..at];
            case 5:
                lines = [.. lines[..first], .. lines[(first + 1)..]];
                break;
            default:
                lines = [.. lines[..first], lines[second], .. lines[first..]];
                break;
        }

        return [.. lines.SelectMany(static line => line)];
    }

    private static string WithoutLoneSurrogates(string text)
    {
        var result = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
        {
            result.Append(rune.ToString());
        }

        return result.ToString();
    }
}
