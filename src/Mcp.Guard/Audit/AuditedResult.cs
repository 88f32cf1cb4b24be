using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Audit;

/// <summary>The result of a call as the policy lets it be recorded, and the digests of what came and of what was delivered.</summary>
internal sealed class AuditedResult : AuditRecordContent
{
    private readonly IAuditContent _content;
    private readonly AuditOutcome? _outcome;
    private readonly ContentRecording _mode;
    private Made? _made;

    public AuditedResult(IAuditContent content, AuditOutcome outcome, ContentRecording mode)
    {
        _content = content;
        _mode = mode;
        Bytes = AuditedSize.Of(outcome.Received) + (outcome.Changes is null ? 0 : AuditedSize.Of(outcome.Delivered));
        if (Bytes <= AuditedSize.MaxDeferred && !content.RunsHostCode(mode))
        {
            _outcome = outcome;
            return;
        }

        // What came and went itself is let go: a record that waits holds no more than it tells.
        _made = Make(outcome);
        Bytes = AuditedSize.Of(_made.Recorded);
    }

    public override long Bytes { get; }

    public override JsonElement Result => Read().Recorded;

    public override string? ResultDigest => Read().Digest;

    public override string? DeliveredDigest => Read().DeliveredDigest;

    private Made Read()
    {
        if (Volatile.Read(ref _made) is { } before)
        {
            return before;
        }

        Made made = Make(_outcome!);
        return Interlocked.CompareExchange(ref _made, made, null) ?? made;
    }

    private Made Make(AuditOutcome outcome) => new(
        _content.Record(outcome.Delivered, _mode),
        _content.Digest(outcome.Received),
        outcome.Changes is null ? null : _content.Digest(outcome.Delivered));

    private sealed record Made(JsonElement Recorded, string? Digest, string? DeliveredDigest);
}
