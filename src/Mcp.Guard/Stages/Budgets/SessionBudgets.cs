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
    public ValueTask<BudgetVerdict> CheckAsync(
        BudgetLimits limits, GuardCaller caller, string server, string tool, string argumentsDigest, CancellationToken ct) =>
        limits is { CallsPerTool: null, CallsPerSession: null }
            ? CheckRepeatsAsync(limits, caller, server, tool, argumentsDigest, ct)
            : CheckAllAsync(limits, caller, server, tool, argumentsDigest, ct);

    /// <summary>Counts the call. Repetition is not asked about again: the stage did, before.</summary>
    /// <returns>False where a budget was spent by a parallel call meanwhile: deny with <see cref="GuardDenialCodes.BudgetSpent"/>.</returns>
    public ValueTask<bool> ChargeAsync(BudgetLimits limits, GuardCaller caller, string server, string tool, string argumentsDigest, CancellationToken ct) =>
        limits is { CallsPerTool: null, CallsPerSession: null }
            ? ChargeRepeatsAsync(limits, caller, server, tool, argumentsDigest, ct)
            : ChargeAllAsync(limits, caller, server, tool, argumentsDigest, ct);

    private async ValueTask<BudgetVerdict> CheckAllAsync(
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

        return await CheckRepeatsAsync(limits, caller, server, tool, argumentsDigest, ct);
    }

    /// <summary>The one budget of the recommended limits. A store of this process has its answer at once, which needs no state machine.</summary>
    private ValueTask<BudgetVerdict> CheckRepeatsAsync(
        BudgetLimits limits, GuardCaller caller, string server, string tool, string argumentsDigest, CancellationToken ct)
    {
        if (limits.IdenticalCalls is not { } identical)
        {
            return new(BudgetVerdict.Within);
        }

        ValueTask<long> counting = store.AddAsync(IdenticalKey(caller, server, tool, argumentsDigest), 0, limits.IdenticalWindow, ct);
        return counting.IsCompletedSuccessfully ? new(JudgeRepeats(counting.Result, identical)) : AwaitAsync(counting, identical);

        static async ValueTask<BudgetVerdict> AwaitAsync(ValueTask<long> counting, long identical) => JudgeRepeats(await counting, identical);
    }

    private static BudgetVerdict JudgeRepeats(long count, long identical) => count >= identical ? BudgetVerdict.Repeated : BudgetVerdict.Within;

    private async ValueTask<bool> ChargeAllAsync(
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

        return await ChargeRepeatsAsync(limits, caller, server, tool, argumentsDigest, ct);
    }

    private ValueTask<bool> ChargeRepeatsAsync(
        BudgetLimits limits, GuardCaller caller, string server, string tool, string argumentsDigest, CancellationToken ct)
    {
        if (limits.IdenticalCalls is null)
        {
            return new(true);
        }

        ValueTask<long> counting = store.AddAsync(IdenticalKey(caller, server, tool, argumentsDigest), 1, limits.IdenticalWindow, ct);
        if (!counting.IsCompletedSuccessfully)
        {
            return AwaitAsync(counting);
        }

        _ = counting.Result;
        return new(true);

        static async ValueTask<bool> AwaitAsync(ValueTask<long> counting)
        {
            await counting;
            return true;
        }
    }

    private static BudgetKey SessionKey(GuardCaller caller) => new("session", caller.UserId, caller.SessionId, null, null, null);

    private static BudgetKey ToolKey(GuardCaller caller, string server, string tool) => new("tool", caller.UserId, caller.SessionId, server, tool, null);

    private static BudgetKey IdenticalKey(GuardCaller caller, string server, string tool, string digest) =>
        new("identical", caller.UserId, caller.SessionId, server, tool, digest);
}
