using System.Text.Json;

namespace Mcp.Guard;

/// <summary>
/// One event. Sequence, hash chain and file position are added by the sink that keeps them. Texts may hold anything a server or model can write:
/// a sink must escape them.
/// </summary>
public sealed class AuditRecord
{
    /// <summary>What the record tells.</summary>
    public required AuditKind Kind { get; init; }

    /// <summary>When, in UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The decision's id (UUID version 7), the same in intent, consent and outcome; empty where no message was judged.</summary>
    public string DecisionId { get; init; } = string.Empty;

    /// <summary>The caller's user.</summary>
    public string? UserId { get; init; }

    /// <summary>The caller's session.</summary>
    public string? SessionId { get; init; }

    /// <summary>The server's id.</summary>
    public string? Server { get; init; }

    /// <summary>The JSON-RPC method.</summary>
    public string? Method { get; init; }

    /// <summary>The tool, prompt or resource.</summary>
    public string? Target { get; init; }

    /// <summary>The fingerprint of the tool's definition.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Why the model chose the tool, in its words, bounded.</summary>
    public string? Intent { get; init; }

    /// <summary>The decision or outcome in one word, for example <c>allow</c>, <c>deny</c>, <c>delivered</c>, <c>changed</c>, <c>abandoned</c>.</summary>
    public string? Decision { get; init; }

    /// <summary>The denial code, or the code of a change.</summary>
    public string? Code { get; init; }

    /// <summary>The stage that decided.</summary>
    public string? Stage { get; init; }

    /// <summary>The ids of the rules that matched, separated by commas.</summary>
    public string? Rule { get; init; }

    /// <summary>The reason in words.</summary>
    public string? Reason { get; init; }

    /// <summary>The revision of the policy in force.</summary>
    public string? PolicyRevision { get; init; }

    /// <summary>The arguments as the policy lets them be recorded (none, shape, redacted, full); undefined where they are not.</summary>
    public JsonElement Arguments { get => Content is { } content ? content.Arguments : field; init; }

    /// <summary>The result as the policy lets it be recorded; undefined where it is not.</summary>
    public JsonElement Result { get => Content is { } content ? content.Result : field; init; }

    /// <summary>Digest over the arguments: SHA-256 of what is recorded, or a keyed hash.</summary>
    public string? ArgumentsDigest { get => Content is { } content ? content.ArgumentsDigest : field; init; }

    /// <summary>Digest over the server's result.</summary>
    public string? ResultDigest { get => Content is { } content ? content.ResultDigest : field; init; }

    /// <summary>Digest over the delivered result, where it differs.</summary>
    public string? DeliveredDigest { get => Content is { } content ? content.DeliveredDigest : field; init; }

    /// <summary>What was changed: between what the host gave and what was judged (intent, denial), or between the server's result and the delivered one (outcome). Stage and code of each change.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>How long it took.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Who answered a consent, as the provider knows the person.</summary>
    public string? AnsweredBy { get; init; }

    /// <summary>The negotiated protocol version.</summary>
    public string? ProtocolVersion { get; init; }

    /// <summary>The W3C trace id, where a trace is active.</summary>
    public string? TraceId { get; init; }

    /// <summary>How many events this record stands for; more than 1 where repeats were counted together.</summary>
    public long Count { get; init; } = 1;

    /// <summary>The time of the first of several events.</summary>
    public DateTimeOffset? FirstTime { get; init; }

    /// <summary>What arguments, result and digests come from where they are made at their first reading; null where they were set.</summary>
    internal AuditRecordContent? Content { get; init; }

    /// <summary>The same record with other texts in the fields that people, models and servers fill.</summary>
    internal AuditRecord WithTexts(string? userId, string? sessionId, string? target, string? intent, string? reason, string? answeredBy) => new()
    {
        Kind = Kind,
        Time = Time,
        DecisionId = DecisionId,
        UserId = userId,
        SessionId = sessionId,
        Server = Server,
        Method = Method,
        Target = target,
        Fingerprint = Fingerprint,
        Intent = intent,
        Decision = Decision,
        Code = Code,
        Stage = Stage,
        Rule = Rule,
        Reason = reason,
        PolicyRevision = PolicyRevision,
        Content = Content,
        Arguments = Content is null ? Arguments : default,
        Result = Content is null ? Result : default,
        ArgumentsDigest = Content is null ? ArgumentsDigest : null,
        ResultDigest = Content is null ? ResultDigest : null,
        DeliveredDigest = Content is null ? DeliveredDigest : null,
        Changes = Changes,
        Duration = Duration,
        AnsweredBy = answeredBy,
        ProtocolVersion = ProtocolVersion,
        TraceId = TraceId,
        Count = Count,
        FirstTime = FirstTime,
    };
}
