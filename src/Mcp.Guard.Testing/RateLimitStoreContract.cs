namespace Mcp.Guard.Testing;

/// <summary>
/// What every <see cref="IRateLimitStore"/> must do. Derive, make an empty store in <see cref="CreateAsync"/>, let its time pass in
/// <see cref="AdvanceAsync"/>, and run each of <see cref="Cases"/> with <see cref="RunAsync"/> from a test of your own framework; a broken contract is a
/// <see cref="ContractException"/>.
/// </summary>
public abstract class RateLimitStoreContract
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);

    private static readonly Dictionary<string, Func<RateLimitStoreContract, IRateLimitStore, Task>> Checks = new(StringComparer.Ordinal)
    {
        ["a-burst-is-admitted-and-no-more"] = BurstAndNoMore,
        ["a-refusal-names-its-limit"] = RefusalNamesLimit,
        ["a-call-after-the-time-to-wait-is-admitted"] = TimeToWaitIsTrue,
        ["after-a-pause-the-burst-is-back-and-no-more"] = PauseRestoresBurst,
        ["over-many-windows-the-rate-holds"] = RateHolds,
        ["zero-permits-deny-everything"] = ZeroPermitsDeny,
        ["every-part-of-the-key-counts"] = EveryPartCounts,
        ["refused-calls-take-nothing"] = RefusalsTakeNothing,
        ["several-limits-are-charged-together-or-not-at-all"] = AllOrNone,
        ["parallel-calls-pass-exactly-the-limit"] = ParallelCallsPassExactly,
        ["a-cancelled-call-is-not-admitted"] = CancelledIsNotAdmitted,
        ["no-limit-at-all-is-an-error"] = NoLimitThrows,
    };

    /// <summary>The names of the cases.</summary>
    public static IReadOnlyCollection<string> Cases => Checks.Keys;

    /// <summary>Runs one case against a new store.</summary>
    /// <param name="name">One of <see cref="Cases"/>.</param>
    /// <exception cref="ContractException">The contract is broken.</exception>
    public async Task RunAsync(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Checks.TryGetValue(name, out Func<RateLimitStoreContract, IRateLimitStore, Task>? check))
        {
            throw new ArgumentException($"There is no case '{name}'.", nameof(name));
        }

        IRateLimitStore store = await CreateAsync().ConfigureAwait(false);
        try
        {
            await check(this, store).ConfigureAwait(false);
        }
        finally
        {
            await ReleaseAsync(store).ConfigureAwait(false);
        }
    }

    /// <summary>Makes an empty store that shares nothing with an earlier one.</summary>
    protected abstract ValueTask<IRateLimitStore> CreateAsync();

    /// <summary>Lets time pass for the store: a fake clock is moved, a real one is waited for. The cases need at most 10 s each.</summary>
    /// <param name="time">How much.</param>
    protected abstract ValueTask AdvanceAsync(TimeSpan time);

    /// <summary>Releases a store after its case.</summary>
    /// <param name="store">What <see cref="CreateAsync"/> made.</param>
    protected virtual ValueTask ReleaseAsync(IRateLimitStore store)
    {
        (store as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static RateLimitCharge Charge(string limit, long permits, string? user = "ada") =>
        new(new RateLimitKey(limit, null, null, user, null), permits, Window, Math.Max(1, permits));

    private static ValueTask<RateLimitLease> AcquireAsync(IRateLimitStore store, params RateLimitCharge[] charges) => store.AcquireAsync(charges, CancellationToken.None);

    private static async Task<int> AdmittedAsync(IRateLimitStore store, int calls, params RateLimitCharge[] charges)
    {
        int admitted = 0;
        for (int i = 0; i < calls; i++)
        {
            admitted += (await AcquireAsync(store, charges).ConfigureAwait(false)).IsAdmitted ? 1 : 0;
        }

        return admitted;
    }

    private static async Task BurstAndNoMore(RateLimitStoreContract contract, IRateLimitStore store)
    {
        // Two permits in the window: a slow store may see a third one come due, but not four.
        int admitted = await AdmittedAsync(store, 20, Charge("limit", 2)).ConfigureAwait(false);
        ContractException.Require(admitted is 2 or 3, $"2 permits in 2 s: at once 2 calls are admitted, not {admitted}");
    }

    private static async Task RefusalNamesLimit(RateLimitStoreContract contract, IRateLimitStore store)
    {
        await AdmittedAsync(store, 2, Charge("limit", 1)).ConfigureAwait(false);
        RateLimitLease refusal = await AcquireAsync(store, Charge("limit", 1)).ConfigureAwait(false);
        ContractException.Require(!refusal.IsAdmitted && refusal.LimitId == "limit", $"a refusal names its limit: {refusal}");
    }

    private static async Task TimeToWaitIsTrue(RateLimitStoreContract contract, IRateLimitStore store)
    {
        await AdmittedAsync(store, 2, Charge("limit", 1)).ConfigureAwait(false);
        RateLimitLease refusal = await AcquireAsync(store, Charge("limit", 1)).ConfigureAwait(false);
        ContractException.Require(!refusal.IsAdmitted, "1 permit in 2 s is spent after one call");
        if (refusal.RetryAfter is { } wait)
        {
            ContractException.Require(wait > TimeSpan.Zero && wait <= Window, $"the time to wait is more than zero and at most the window: {wait}");
            await contract.AdvanceAsync(wait).ConfigureAwait(false);
            RateLimitLease lease = await AcquireAsync(store, Charge("limit", 1)).ConfigureAwait(false);
            ContractException.Require(lease.IsAdmitted, $"a call after the time to wait ({wait}) is admitted: {lease}");
        }
    }

    private static async Task PauseRestoresBurst(RateLimitStoreContract contract, IRateLimitStore store)
    {
        await AdmittedAsync(store, 10, Charge("limit", 2)).ConfigureAwait(false);
        await contract.AdvanceAsync(3 * Window).ConfigureAwait(false);
        int admitted = await AdmittedAsync(store, 20, Charge("limit", 2)).ConfigureAwait(false);
        ContractException.Require(admitted is 2 or 3, $"after a pause of three windows 2 calls are admitted, not {admitted}");
    }

    private static async Task RateHolds(RateLimitStoreContract contract, IRateLimitStore store)
    {
        int admitted = await AdmittedAsync(store, 10, Charge("limit", 4)).ConfigureAwait(false);
        for (int i = 0; i < 8; i++)
        {
            await contract.AdvanceAsync(Window / 2).ConfigureAwait(false);
            admitted += await AdmittedAsync(store, 10, Charge("limit", 4)).ConfigureAwait(false);
        }

        // Four windows: 16 permits and the burst. A store with fixed windows may admit one window's permits more or fewer.
        ContractException.Require(admitted is >= 16 and <= 24, $"4 permits in 2 s admit about 20 calls in 8 s, not {admitted}");
    }

    private static async Task ZeroPermitsDeny(RateLimitStoreContract contract, IRateLimitStore store)
    {
        RateLimitLease refusal = await AcquireAsync(store, Charge("limit", 0)).ConfigureAwait(false);
        ContractException.Require(!refusal.IsAdmitted && refusal.RetryAfter is null, $"zero permits deny, and no time to wait helps: {refusal}");
        RateLimitLease both = await AcquireAsync(store, Charge("other", 1), Charge("limit", 0)).ConfigureAwait(false);
        ContractException.Require(!both.IsAdmitted, "zero permits of one limit deny a call with several");
        RateLimitLease other = await AcquireAsync(store, Charge("other", 1)).ConfigureAwait(false);
        ContractException.Require(other.IsAdmitted, "the other limit was not charged");
    }

    private static async Task EveryPartCounts(RateLimitStoreContract contract, IRateLimitStore store)
    {
        RateLimitKey[] keys =
        [
            new("l", null, null, null, null), new("l", "a", null, null, null), new("l", null, "a", null, null), new("l", null, null, "a", null),
            new("l", null, null, null, "a"), new("l", "a", "a", null, null), new("l", "aa", null, null, null), new("l", "a", null, "a", null), new("m", "a", null, null, null),
            new("l", "", "aa", null, null), new("l", "a:a", null, null, null), new("l:a", null, null, null, null),
        ];
        foreach (RateLimitKey key in keys)
        {
            RateLimitLease lease = await AcquireAsync(store, new RateLimitCharge(key, 1, Window, 1)).ConfigureAwait(false);
            ContractException.Require(lease.IsAdmitted, $"a key of its own has a count of its own: {key}");
        }
    }

    private static async Task RefusalsTakeNothing(RateLimitStoreContract contract, IRateLimitStore store)
    {
        await AdmittedAsync(store, 1000, Charge("limit", 1)).ConfigureAwait(false);
        await contract.AdvanceAsync(Window).ConfigureAwait(false);
        RateLimitLease lease = await AcquireAsync(store, Charge("limit", 1)).ConfigureAwait(false);
        ContractException.Require(lease.IsAdmitted, "refused calls do not push the next permit away");
    }

    private static async Task AllOrNone(RateLimitStoreContract contract, IRateLimitStore store)
    {
        foreach (bool narrowFirst in (bool[])[true, false])
        {
            RateLimitCharge wide = Charge($"wide {narrowFirst}", 5);
            RateLimitCharge narrow = Charge($"narrow {narrowFirst}", 1);
            RateLimitCharge[] both = narrowFirst ? [narrow, wide] : [wide, narrow];
            ContractException.Require((await AcquireAsync(store, both).ConfigureAwait(false)).IsAdmitted, "the first call passes both limits");
            RateLimitLease refusal = await AcquireAsync(store, both).ConfigureAwait(false);
            ContractException.Require(!refusal.IsAdmitted && refusal.LimitId == narrow.Key.LimitId, $"the limit that is spent refuses: {refusal}");
            int left = await AdmittedAsync(store, 4, wide).ConfigureAwait(false);
            ContractException.Require(left == 4, $"the limit that was not spent was not charged by the refused call: {left} of 4 are left");
        }
    }

    private static async Task ParallelCallsPassExactly(RateLimitStoreContract contract, IRateLimitStore store)
    {
        // A day's window, so that no permit comes due while the calls run.
        var charge = new RateLimitCharge(new RateLimitKey("limit", null, null, "ada", null), 100, TimeSpan.FromDays(1), 100);
        Task<int>[] callers = [.. Enumerable.Range(0, 20).Select(_ => Task.Run(() => AdmittedAsync(store, 500, charge)))];
        int admitted = (await Task.WhenAll(callers).ConfigureAwait(false)).Sum();
        ContractException.Require(admitted == 100, $"of 10,000 parallel calls exactly 100 are admitted, not {admitted}");
    }

    private static async Task CancelledIsNotAdmitted(RateLimitStoreContract contract, IRateLimitStore store)
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync().ConfigureAwait(false);
        try
        {
            RateLimitLease lease = await store.AcquireAsync((RateLimitCharge[])[Charge("limit", 1)], cancelled.Token).ConfigureAwait(false);
            ContractException.Require(!lease.IsAdmitted, "a cancelled call is not admitted");
        }
        catch (OperationCanceledException)
        {
            // The usual answer.
        }
    }

    private static async Task NoLimitThrows(RateLimitStoreContract contract, IRateLimitStore store)
    {
        RateLimitLease lease;
        try
        {
            lease = await AcquireAsync(store).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            return;
        }

        ContractException.Require(!lease.IsAdmitted, "a call with no limit at all is not admitted by this store");
    }
}
