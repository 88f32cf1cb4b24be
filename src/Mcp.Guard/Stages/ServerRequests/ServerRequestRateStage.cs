using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>How often a server may ask: per time and caller as the policy says (its own limit, else that of calls, counted apart), and per call.</summary>
internal sealed class ServerRequestRateStage(IRateLimitStore store) : IGuardStage<ServerRequestContext>
{
    /// <summary>Requests that one call may cause. A call that asks back more often is a dialogue of its own.</summary>
    public const int MaxPerCall = 32;

    public string Name => GuardStages.ServerRequestRate;

    public async ValueTask<GuardDecision> EvaluateAsync(ServerRequestContext context, CancellationToken ct)
    {
        if (context.Call!.CountServerRequest() > MaxPerCall)
        {
            return GuardDecision.Deny(GuardDenialCodes.RateLimited, $"one call caused more than {MaxPerCall} requests of the server");
        }

        ServerSettings settings = context.Settings!;
        RateLimitSetting limit = (string.Equals(context.Method, MethodTable.Sampling, StringComparison.Ordinal) ? settings.Sampling.RateLimit : settings.Elicitation.RateLimit)
            ?? settings.Limits.RateLimit;

        // Always by server, method and caller: what one server or user asks never counts for another, and no request of a server uses up calls of a tool.
        var key = new RateLimitKey(limit.Id, context.Server.Id, context.Method, context.Caller.UserId, context.Caller.IsConnection || (limit.By & RateLimitScope.Session) != 0 ? context.Caller.SessionId : null);
        RateLimitLease lease = await store.AcquireAsync(new[] { new RateLimitCharge(key, limit.Permits, limit.Window, limit.Burst) }, ct).ConfigureAwait(false);
        return lease.IsAdmitted
            ? GuardDecision.Continue
            : GuardDecision.Deny(GuardDenialCodes.RateLimited, $"limit '{lease.LimitId}' of the server's requests is used up", retryAfter: lease.RetryAfter);
    }
}
