using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.RateLimit;

/// <summary>Calls per time: every limit that a matching rule sets, or the server's default (3 a second and caller).</summary>
internal sealed class RateLimitStage(IRateLimitStore store) : IGuardStage<RequestContext>
{
    /// <summary>Limits that one call may have to pass; a policy with more on one tool denies its calls.</summary>
    private const int MaxLimits = 16;

    public string Name => GuardStages.RateLimit;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (context.Kind is not (RequestKind.ToolCall or RequestKind.Resource) || context.Continues is not null)
        {
            return new(GuardDecision.Continue);
        }

        IReadOnlyList<RateLimitSetting> limits = context.HasVerdict ? context.Verdict.RateLimits : [];
        if (limits.Count <= 1 && store is InMemoryRateLimitStore memory && !ct.IsCancellationRequested)
        {
            // One limit in this process: nothing waits, and no list of charges is needed.
            return new(Judge(memory.Limiter.Acquire(ChargeFor(limits.Count == 0 ? context.Settings!.Limits.RateLimit : limits[0], context))));
        }

        if (limits.Count > MaxLimits)
        {
            return new(GuardDecision.Deny(GuardDenialCodes.GuardFault, $"more than {MaxLimits} rate limits apply to one call; merge rules"));
        }

        int count = Math.Max(limits.Count, 1);
        var charges = new RateLimitCharge[count];
        for (int i = 0; i < count; i++)
        {
            charges[i] = ChargeFor(limits.Count == 0 ? context.Settings!.Limits.RateLimit : limits[i], context);
        }

        ValueTask<RateLimitLease> pending = store.AcquireAsync(charges, ct);
        return pending.IsCompletedSuccessfully ? new(Judge(pending.Result)) : AwaitAsync(pending);
    }

    private static async ValueTask<GuardDecision> AwaitAsync(ValueTask<RateLimitLease> pending) => Judge(await pending.ConfigureAwait(false));

    private static GuardDecision Judge(in RateLimitLease lease) => lease.IsAdmitted
        ? GuardDecision.Continue
        : GuardDecision.Deny(GuardDenialCodes.RateLimited, $"limit '{lease.LimitId}' is used up", retryAfter: lease.RetryAfter);

    private static RateLimitCharge ChargeFor(RateLimitSetting limit, RequestContext context)
    {
        bool byCaller = (limit.By & (RateLimitScope.Caller | RateLimitScope.Session)) != 0;
        bool bySession = (limit.By & RateLimitScope.Session) != 0 || (byCaller && context.Caller.IsConnection);
        var key = new RateLimitKey(
            limit.Id,
            (limit.By & RateLimitScope.Server) != 0 ? context.Server.Id : null,
            (limit.By & RateLimitScope.Tool) != 0 ? context.TargetName : null,
            byCaller ? context.Caller.UserId : null,
            bySession ? context.Caller.SessionId : null);
        return new RateLimitCharge(key, limit.Permits, limit.Window, limit.Burst);
    }
}
