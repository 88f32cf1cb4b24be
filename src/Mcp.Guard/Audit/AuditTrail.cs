using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Audit;

/// <summary>Makes the records of the pipeline and hands them to the sink, which bounds its own time: a sink that hangs is a sink that failed.</summary>
internal sealed class AuditTrail(IAuditSink sink, IAuditContent content, TimeProvider time, ILogger logger)
{
    /// <summary>The decision and what will be sent, before it is sent. Throws where it could not be written.</summary>
    public ValueTask WriteIntentAsync(RequestContext call, CancellationToken ct) =>
        SendAsync(
            new AuditRecord
            {
                Kind = AuditKind.Intent,
                Time = time.GetUtcNow(),
                DecisionId = call.DecisionId,
                UserId = call.Caller.UserId,
                SessionId = call.Caller.SessionId,
                Server = call.Server.Id,
                Method = call.Method,
                Target = call.TargetName,
                Fingerprint = call.Entry?.Definition.Fingerprint,
                Intent = call.Caller.Intent,
                Decision = call.Continues is not null ? "continue" : "allow",
                Code = call.ConsentNote,
                Reason = call.PassedByDryRun is { } passed ? DryRun.PassedReason + string.Join(", ", passed) : null,
                Rule = Rules(call),
                PolicyRevision = call.PolicyRevision,
                Content = new AuditedArguments(content, call.Parameters, call.Policy.Audit.Arguments),
                Changes = (IReadOnlyList<string>?)call.Changes ?? [],
                ProtocolVersion = call.ProtocolVersion,
                TraceId = call.TraceId,
            },
            ct);

    /// <summary>A denial. It stands whether or not it can be written; a failure is logged.</summary>
    public ValueTask WriteDenialAsync(RequestContext call, GuardDenial denial, CancellationToken ct) =>
        WriteEventAsync(
            new AuditRecord
            {
                Kind = AuditKind.Denial,
                Time = time.GetUtcNow(),
                DecisionId = call.DecisionId,
                UserId = call.Caller.UserId,
                SessionId = call.Caller.SessionId,
                Server = call.Server.Id,
                Method = call.Method,
                Target = call.TargetName,
                Fingerprint = call.Entry?.Definition.Fingerprint,
                Intent = call.Caller.Intent,
                Decision = "deny",
                Code = denial.Code,
                Stage = denial.Stage,
                Reason = denial.Reason,
                Rule = Rules(call),
                PolicyRevision = call.PolicyRevision,
                Content = new AuditedArguments(content, call.Parameters, call.Policy.Audit.Arguments),
                Changes = (IReadOnlyList<string>?)call.Changes ?? [],
                ProtocolVersion = call.ProtocolVersion,
                TraceId = call.TraceId,
            },
            ct);

    /// <summary>What a dry run lets pass that would be denied or asked. Throws where it could not be written: it then does not pass.</summary>
    public ValueTask WritePassedAsync(RequestContext call, string decision, string code, string stage, string? reason, CancellationToken ct) =>
        sink.WriteAsync(
            new AuditRecord
            {
                Kind = AuditKind.Denial,
                Time = time.GetUtcNow(),
                DecisionId = call.DecisionId,
                UserId = call.Caller.UserId,
                SessionId = call.Caller.SessionId,
                Server = call.Server.Id,
                Method = call.Method,
                Target = call.TargetName,
                Fingerprint = call.Entry?.Definition.Fingerprint,
                Decision = decision,
                Code = code,
                Stage = stage,
                Reason = reason,
                Rule = Rules(call),
                PolicyRevision = call.PolicyRevision,
                Content = new AuditedArguments(content, call.Parameters, call.Policy.Audit.Arguments),
                ProtocolVersion = call.ProtocolVersion,
                TraceId = call.TraceId,
            },
            ct);

    /// <summary>How a forwarded call ended. Throws where it could not be written: the caller must then learn that the call may have happened.</summary>
    public ValueTask WriteOutcomeAsync(RequestContext call, string decision, GuardDenial? denial, AuditOutcome? outcome, TimeSpan duration, CancellationToken ct) =>
        SendAsync(
            new AuditRecord
            {
                Kind = AuditKind.Outcome,
                Time = time.GetUtcNow(),
                DecisionId = call.DecisionId,
                UserId = call.Caller.UserId,
                SessionId = call.Caller.SessionId,
                Server = call.Server.Id,
                Method = call.Method,
                Target = call.TargetName,
                Decision = decision,
                Code = denial?.Code,
                Stage = denial?.Stage,
                Reason = denial?.Reason ?? outcome?.Findings,
                PolicyRevision = call.PolicyRevision,
                Content = outcome is null ? null : new AuditedResult(content, outcome, call.Policy.Audit.Results),
                Changes = outcome?.Changes ?? [],
                Duration = duration,
                ProtocolVersion = call.ProtocolVersion,
                TraceId = call.TraceId,
            },
            ct);

    /// <summary>A consent event of a call.</summary>
    public ValueTask WriteConsentAsync(RequestContext call, string decision, string? reason, string? answeredBy, CancellationToken ct) =>
        SendAsync(
            new AuditRecord
            {
                Kind = AuditKind.Consent,
                Time = time.GetUtcNow(),
                DecisionId = call.DecisionId,
                UserId = call.Caller.UserId,
                SessionId = call.Caller.SessionId,
                Server = call.Server.Id,
                Method = call.Method,
                Target = call.TargetName,
                Fingerprint = call.Entry?.Definition.Fingerprint,
                Intent = call.Caller.Intent,
                Decision = decision,
                Reason = reason,
                AnsweredBy = answeredBy,
                Rule = Rules(call),
                PolicyRevision = call.PolicyRevision,
                ArgumentsDigest = content.Digest(call.ArgumentsElement),
                TraceId = call.TraceId,
            },
            ct);

    /// <summary>An event that belongs to no single call. A failure is logged.</summary>
    public ValueTask WriteEventAsync(AuditRecord record, CancellationToken ct)
    {
        ValueTask<bool> sending = TrySendAsync(record, ct);
        if (!sending.IsCompletedSuccessfully)
        {
            return new(sending.AsTask());
        }

        _ = sending.Result;
        return default;
    }

    /// <summary>The same, and whether it is on record by itself: not where it failed, nor where it was counted in a flood.</summary>
    public ValueTask<bool> TryWriteEventAsync(AuditRecord record, CancellationToken ct) => TrySendAsync(record, ct);

    /// <summary>A value as it may stand in a record.</summary>
    public JsonElement Recordable(JsonElement value, ContentRecording mode) => content.Record(value, mode);

    /// <summary>The same where the event must be on record before the guard goes on.</summary>
    public ValueTask WriteRequiredEventAsync(AuditRecord record, CancellationToken ct) => SendAsync(record, ct);

    private static string? Rules(RequestContext call) => call.HasVerdict ? call.Verdict.RuleIdsText : null;

    /// <summary>The one way to the sink.</summary>
    private ValueTask SendAsync(AuditRecord record, CancellationToken ct) => sink.WriteAsync(AuditTexts.Redact(record), ct);

    private async ValueTask<bool> TrySendAsync(AuditRecord record, CancellationToken ct)
    {
        try
        {
            bool isCounted = false;
            ValueTask write = sink is AuditFloodGate gate ? gate.WriteAsync(AuditTexts.Redact(record), out isCounted, ct) : SendAsync(record, ct);
            await write.ConfigureAwait(false);
            return !isCounted;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            PipelineLog.AuditFailed(logger, record.Kind, record.DecisionId, failure);
            return false;
        }
    }
}
