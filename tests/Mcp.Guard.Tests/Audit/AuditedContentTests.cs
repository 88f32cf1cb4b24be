using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using NUnit.Framework;

namespace Mcp.Guard.Tests.Audit;

public sealed class AuditedContentTests
{
    [Test]
    public void Arguments_Small_AreMadeOnceWhenFirstRead()
    {
        var content = new Counting();
        var record = new AuditRecord { Kind = AuditKind.Intent, Time = default, Content = new AuditedArguments(content, RequestPayload.OfArguments(Value(100)), ContentRecording.Redacted) };
        Assert.That(content.Made, Is.Zero, "the caller is spared the work");
        Assert.That(record.Arguments.GetString(), Is.EqualTo("made"));
        Assert.That(record.Arguments.GetString(), Is.EqualTo("made"));
        Assert.That(record.ArgumentsDigest, Is.EqualTo("digest"));
        Assert.That(content.Made, Is.EqualTo(1), "no reader gets anything but what was made first");
    }

    [Test]
    public void Arguments_Large_AreMadeByTheirOwnCaller()
    {
        var content = new Counting();
        _ = new AuditedArguments(content, RequestPayload.OfArguments(Value(AuditedSize.MaxDeferred)), ContentRecording.Redacted);
        Assert.That(content.Made, Is.EqualTo(1), "nobody's long text holds up the records of others");
    }

    [Test]
    public void Arguments_SmallInLargeParameters_CountWhatTheyHold()
    {
        JsonElement parameters = JsonElement.Parse($$"""{"_meta":{"x":"{{new string('x', 100_000)}}"},"arguments":{"a":1} }""");
        RequestPayload payload = RequestPayload.Of(parameters);
        Assert.That(payload.TryFindArguments(), Is.True);
        var content = new AuditContent(static () => null);
        Assert.Multiple(() =>
        {
            Assert.That(new AuditedArguments(content, payload, ContentRecording.Redacted).Bytes, Is.GreaterThan(100_000), "the arguments keep their parameters in memory");
            Assert.That(new AuditedArguments(content, payload, ContentRecording.Full).Bytes, Is.GreaterThan(100_000));
            Assert.That(new AuditedArguments(content, payload, ContentRecording.Shape).Bytes, Is.LessThan(64));
            Assert.That(new AuditedArguments(content, payload, ContentRecording.None).Bytes, Is.Zero);
        });
    }

    [Test]
    public void Result_Changed_RecordsWhatWasDeliveredAndBothDigests()
    {
        var content = new Counting();
        var outcome = new AuditOutcome(Value(10), Value(20), ["redaction:redacted"]);
        var record = new AuditRecord { Kind = AuditKind.Outcome, Time = default, Content = new AuditedResult(content, outcome, ContentRecording.Redacted) };
        Assert.That((record.Result.GetString(), record.ResultDigest, record.DeliveredDigest), Is.EqualTo(("made", "digest", "digest")));
        Assert.That(record.Arguments.ValueKind, Is.EqualTo(JsonValueKind.Undefined));
    }

    private static JsonElement Value(int length) => JsonElement.Parse($"\"{new string('a', length)}\"");

    private sealed class Counting : IAuditContent
    {
        public int Made { get; private set; }

        public JsonElement Record(JsonElement value, ContentRecording mode)
        {
            Made++;
            return JsonElement.Parse("\"made\"");
        }

        public bool RunsHostCode(ContentRecording mode) => false;

        public string? Digest(JsonElement value) => "digest";

        public string? Digest(ReadOnlySpan<byte> utf8) => "digest";
    }
}
