using System.Text.Json;
using Mcp.Guard.Stages.Concurrency;
using Mcp.Guard.Stages.KillSwitch;
using Mcp.Guard.Stages.ResultSanitizing;
using Mcp.Guard.Stages.Timeouts;

namespace Mcp.Guard.Pipeline;

/// <summary>One judged request until its outcome is recorded. Exactly one of the four endings takes effect.</summary>
internal sealed class Evaluation(GuardPipeline pipeline, RequestContext context, GuardDenial? denial, ConcurrencyLease? lease, RequestSpan span) : GuardEvaluation
{
    private HaltRegistration? _halted;
    private int _ended;

    public override bool IsAllowed => denial is null;

    public override JsonElement Payload => denial is null ? context.Current : default;

    public override GuardDenial? Denial => denial;

    public override string DecisionId => context.DecisionId;

    public override TimeSpan Timeout => TimeoutOf(context);

    public override CancellationToken Halted => (_halted ??= context.Connection.Runtime.Halts.Register(context.Server.Id, context.TargetName, context.Caller.UserId)).Token;

    /// <summary>The judged request.</summary>
    public RequestContext Context => context;

    public override ValueTask<GuardResult> CompleteAsync(JsonElement result, CancellationToken ct = default)
    {
        End();
        return FinishAsync(Kept(result), isError: false, ct);
    }

    public override ValueTask<GuardResult> CompleteErrorAsync(JsonElement errorAnswer, CancellationToken ct = default)
    {
        End();
        return FinishAsync(Kept(errorAnswer), isError: true, ct);
    }

    public override async ValueTask<GuardDenial> AbortAsync(string code, string reason, CancellationToken ct = default)
    {
        End();
        var end = new GuardDenial(code, "call", reason);
        try
        {
            await pipeline.Audit.WriteOutcomeAsync(context, "aborted", end, null, span.Elapsed, ct).ConfigureAwait(false);
        }
        finally
        {
            lease?.Dispose();
            span.End("aborted", code);
        }

        return end;
    }

    /// <summary>Takes the right to end the call; false where it has ended.</summary>
    public bool TryEnd() => denial is null && Interlocked.Exchange(ref _ended, 1) == 0;

    /// <summary>The same as <see cref="AbortAsync"/> after <see cref="TryEnd"/> has returned true.</summary>
    /// <param name="decision">The word for the audit.</param>
    /// <param name="code">The denial code.</param>
    /// <param name="reason">For the audit.</param>
    /// <param name="stillRuns">True where the server may still work on the call: its slot is then freed by a late reply, the end of the connection or time.</param>
    public async ValueTask<GuardDenial> EndAsync(string decision, string code, string reason, bool stillRuns = false)
    {
        var end = new GuardDenial(code, "call", reason);
        try
        {
            await pipeline.Audit.WriteOutcomeAsync(context, decision, end, null, span.Elapsed, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            if (stillRuns)
            {
                lease?.Abandon();
            }
            else
            {
                lease?.Dispose();
            }

            span.End(decision, code == "input-required" ? null : code);
        }

        return end;
    }

    /// <summary>The slot of the call; null where the method needs none.</summary>
    public ConcurrencyLease? Lease => lease;

    /// <summary>How long the call may take; null for one without an end.</summary>
    public CallTimeLimits? TimeLimits
    {
        get
        {
            TimeSpan total = Timeout;
            if (total == System.Threading.Timeout.InfiniteTimeSpan)
            {
                return null;
            }

            // A rule lets each sign of progress grant its own time-out once more, up to its cap.
            TimeSpan? cap = context.HasVerdict ? context.Verdict.TimeoutWithProgress : null;
            return new CallTimeLimits
            {
                Total = total,
                PerProgress = cap is null ? null : total,
                ProgressCap = cap ?? total,
                MaxPaused = context.Policy.Defaults.ConsentTimeout,
            };
        }
    }

    /// <summary>Ends a call that was forwarded and got no reply; the caller holds the right to end it.</summary>
    public ValueTask<GuardDenial> EndIfOpenAsync(string decision, string code, string reason, bool stillRuns = false) =>
        TryEnd() ? EndAsync(decision, code, reason, stillRuns) : new(new GuardDenial(code, "call", reason));

    /// <summary>The result stages after <see cref="TryEnd"/> has returned true.</summary>
    public async ValueTask<GuardResult> FinishAsync(JsonElement answer, bool isError, CancellationToken ct)
    {
        try
        {
            bool isCatalog = !isError && context.Kind == RequestKind.Catalog;
            var catalog = isCatalog ? new CatalogContext(context, answer) : null;
            var result = isCatalog ? null : new ResultContext(context, answer, isError);
            GuardDenial? refused = isCatalog
                ? await pipeline.JudgeCatalogAsync(catalog!, ct).ConfigureAwait(false)
                : await pipeline.JudgeResultAsync(result!, ct).ConfigureAwait(false);
            List<string>? changes = isCatalog ? catalog!.Changes : result!.Changes;
            JsonElement delivered = isCatalog ? catalog!.Current : result!.Current;
            string decision = refused is not null ? "deny" : isError ? "error" : changes is null ? "delivered" : "changed";
            string? findings = result is { Findings: not ContentFlags.None } ? "found: " + string.Join(", ", ContentFlagNames.Of(result.Findings)) : null;
            var outcome = new AuditOutcome(answer, delivered, changes, findings);
            await pipeline.Audit.WriteOutcomeAsync(context, decision, refused, outcome, span.Elapsed, ct).ConfigureAwait(false);
            span.EndAnswered(decision, refused, delivered, isError);
            return refused is null ? GuardResult.Allow(delivered) : GuardResult.Deny(refused);
        }
        finally
        {
            lease?.Dispose();
            span.End("failed", GuardDenialCodes.AuditUnavailable);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        _halted?.Dispose();
        if (TryEnd())
        {
            await EndAsync("abandoned", GuardDenialCodes.GuardFault, "the host disposed the evaluation without an outcome").ConfigureAwait(false);
        }
    }

    private static TimeSpan TimeoutOf(RequestContext context) => context.Kind switch
    {
        RequestKind.Subscription => System.Threading.Timeout.InfiniteTimeSpan,
        _ when context.HasVerdict && context.Verdict.Timeout is { } limit => limit,
        _ => context.Settings?.Limits.ToolTimeout ?? context.Policy.Defaults.ToolTimeout,
    };

    /// <summary>The host may give its document back to a pool as soon as it has the result, and sinks read the record later. No copy where it has none to give back.</summary>
    private static JsonElement Kept(JsonElement value) => value.ValueKind == JsonValueKind.Undefined ? value : value.Clone();

    private void End()
    {
        if (denial is not null)
        {
            throw new InvalidOperationException("The message was denied: there is nothing to complete. Check IsAllowed before forwarding.");
        }

        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            throw new InvalidOperationException("The evaluation is already complete; a call has one outcome.");
        }
    }
}
