namespace Mcp.Guard.Stages.Budgets;

/// <summary>
/// Counts what a session spends. The stage asks <see cref="CheckAsync"/>, which changes nothing and so may run again after a consent; a call is counted once,
/// by <see cref="ChargeAsync"/> right before it is forwarded, which decides again so that parallel calls cannot pass a limit together.
/// </summary>
internal sealed class SessionBudgets(IBudgetStore store)
{
    /// <summary>What the budgets would say, without counting.</summary>
    /// <param name="limits">The limits in force.</param>
    /// <param name="caller">The caller.</param>
    /// <param name="server">The server's id.</param>
    /// <param name="tool">The exact tool name.</param>
    /// <param name="argumentsDigest">The digest of the canonical arguments.</param>
    /// <param name="ct">Cancels the wait.</param>
    public async ValueTask<BudgetVerdict> CheckAsync(
        BudgetLimits limits, GuardCaller caller, string server, string tool, string argumentsDigest, CancellationToken ct)
    {
        if (limits.CallsPerTool is { } perTool && await store.AddAsync(ToolKey(caller, server, tool), 0, Timeout.InfiniteTimeSpan, ct) >= perTool)
        {
            return BudgetVerdict.Spent;
        }

        if (limits.CallsPerSession is { } perSession && await store.AddAsync(SessionKey(caller), 0, Timeout.InfiniteTimeSpan, ct) >= perSession)
        {
            return BudgetVerdict.Spent;
        }

        return limits.IdenticalCalls is { } identical
            && await store.AddAsync(IdenticalKey(caller, server, tool, argumentsDigest), 0, limits.IdenticalWindow, ct) >= identical
                ? BudgetVerdict.Repeated
                : BudgetVerdict.Within;
    }

    /// <summary>Counts the call. Repetition is not asked about again: the stage did, before.</summary>
    /// <returns>False where a budget was spent by a parallel call meanwhile: deny with <see cref="GuardDenialCodes.BudgetSpent"/>.</returns>
    public async ValueTask<bool> ChargeAsync(
        BudgetLimits limits, GuardCaller caller, string server, string tool, string argumentsDigest, CancellationToken ct)
    {
        // The narrowest first: a call that its tool's budget refuses does not count for the session.
        if (limits.CallsPerTool is { } perTool && await store.AddAsync(ToolKey(caller, server, tool), 1, Timeout.InfiniteTimeSpan, ct) > perTool)
        {
            return false;
        }

        if (limits.CallsPerSession is { } perSession && await store.AddAsync(SessionKey(caller), 1, Timeout.InfiniteTimeSpan, ct) > perSession)
        {
            return false;
        }

        if (limits.IdenticalCalls is not null)
        {
            await store.AddAsync(IdenticalKey(caller, server, tool, argumentsDigest), 1, limits.IdenticalWindow, ct);
        }

        return true;
    }

    private static BudgetKey SessionKey(GuardCaller caller) => new("session", caller.UserId, caller.SessionId, null, null, null);

    private static BudgetKey ToolKey(GuardCaller caller, string server, string tool) => new("tool", caller.UserId, caller.SessionId, server, tool, null);

    private static BudgetKey IdenticalKey(GuardCaller caller, string server, string tool, string digest) =>
        new("identical", caller.UserId, caller.SessionId, server, tool, digest);
}
