namespace Mcp.Guard.Testing;

/// <summary>
/// What every <see cref="IBudgetStore"/> must do. Derive, make an empty store in <see cref="CreateAsync"/>, let its time pass in
/// <see cref="AdvanceAsync"/>, and run each of <see cref="Cases"/> with <see cref="RunAsync"/> from a test of your own framework; a broken contract is a
/// <see cref="ContractException"/>.
/// </summary>
public abstract class BudgetStoreContract
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly BudgetKey Key = new("session", "ada", "s1", null, null, null);

    private static readonly Dictionary<string, Func<BudgetStoreContract, IBudgetStore, Task>> Checks = new(StringComparer.Ordinal)
    {
        ["an-addition-returns-the-sum"] = AdditionReturnsSum,
        ["zero-only-reads"] = ZeroOnlyReads,
        ["every-part-of-the-key-counts"] = EveryPartCounts,
        ["what-is-older-than-the-window-does-not-count"] = OldDoesNotCount,
        ["a-whole-session-does-not-end-with-a-window"] = SessionHasNoWindow,
        ["parallel-additions-are-all-counted"] = ParallelAreCounted,
        ["a-sum-never-turns-over"] = SumNeverTurnsOver,
        ["a-negative-amount-is-refused"] = NegativeIsRefused,
        ["a-cancelled-addition-throws"] = CancelledThrows,
    };

    /// <summary>The names of the cases.</summary>
    public static IReadOnlyCollection<string> Cases => Checks.Keys;

    /// <summary>Runs one case against a new store.</summary>
    /// <param name="name">One of <see cref="Cases"/>.</param>
    /// <exception cref="ContractException">The contract is broken.</exception>
    public async Task RunAsync(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Checks.TryGetValue(name, out Func<BudgetStoreContract, IBudgetStore, Task>? check))
        {
            throw new ArgumentException($"There is no case '{name}'.", nameof(name));
        }

        IBudgetStore store = await CreateAsync().ConfigureAwait(false);
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
    protected abstract ValueTask<IBudgetStore> CreateAsync();

    /// <summary>Lets time pass for the store: a fake clock is moved, a real one is waited for. The cases need at most 10 s each.</summary>
    /// <param name="time">How much.</param>
    protected abstract ValueTask AdvanceAsync(TimeSpan time);

    /// <summary>Releases a store after its case.</summary>
    /// <param name="store">What <see cref="CreateAsync"/> made.</param>
    protected virtual ValueTask ReleaseAsync(IBudgetStore store)
    {
        (store as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static ValueTask<long> AddAsync(IBudgetStore store, BudgetKey key, long amount, TimeSpan window) =>
        store.AddAsync(key, amount, window, CancellationToken.None);

    private static async Task AdditionReturnsSum(BudgetStoreContract contract, IBudgetStore store)
    {
        long one = await AddAsync(store, Key, 1, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        long four = await AddAsync(store, Key, 3, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        ContractException.Require(one == 1 && four == 4, $"after adding 1 and 3 the sums are 1 and 4, not {one} and {four}");
        BudgetKey other = Key with { BudgetId = "window" };
        long first = await AddAsync(store, other, 2, Day).ConfigureAwait(false);
        long second = await AddAsync(store, other, 2, Day).ConfigureAwait(false);
        ContractException.Require(first == 2 && second == 4, $"within a window the sums are 2 and 4, not {first} and {second}");
    }

    private static async Task ZeroOnlyReads(BudgetStoreContract contract, IBudgetStore store)
    {
        long before = await AddAsync(store, Key, 0, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        await AddAsync(store, Key, 2, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        long after = await AddAsync(store, Key, 0, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        long again = await AddAsync(store, Key, 0, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        ContractException.Require(before == 0 && after == 2 && again == 2, $"reading gives 0, 2 and 2, not {before}, {after} and {again}");
    }

    private static async Task EveryPartCounts(BudgetStoreContract contract, IBudgetStore store)
    {
        BudgetKey[] keys =
        [
            Key, Key with { BudgetId = "tool" }, Key with { UserId = "bob" }, Key with { SessionId = "s2" }, Key with { Server = "files" },
            Key with { Tool = "files" }, Key with { ArgumentsDigest = "files" }, Key with { Server = string.Empty }, Key with { UserId = "ada:s1", SessionId = string.Empty },
            Key with { UserId = "ad", SessionId = "as1" }, Key with { Server = "files", Tool = "read" }, Key with { Server = "files:read" }, Key with { UserId = "Ada" },
            Key with { Server = "null" },
        ];
        foreach (BudgetKey key in keys)
        {
            long sum = await AddAsync(store, key, 1, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
            ContractException.Require(sum == 1, $"a key of its own has a count of its own, and this one starts at {sum}: {key}");
        }
    }

    private static async Task OldDoesNotCount(BudgetStoreContract contract, IBudgetStore store)
    {
        await AddAsync(store, Key, 5, Window).ConfigureAwait(false);
        await contract.AdvanceAsync(Window * 1.5).ConfigureAwait(false);
        long sum = await AddAsync(store, Key, 1, Window).ConfigureAwait(false);
        ContractException.Require(sum == 1, $"what was added before the window does not count: the sum is {sum}");
    }

    private static async Task SessionHasNoWindow(BudgetStoreContract contract, IBudgetStore store)
    {
        await AddAsync(store, Key, 5, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        await contract.AdvanceAsync(Window * 2).ConfigureAwait(false);
        long sum = await AddAsync(store, Key, 1, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        ContractException.Require(sum == 6, $"the count of a session has no window: the sum is {sum}, not 6");
    }

    private static async Task ParallelAreCounted(BudgetStoreContract contract, IBudgetStore store)
    {
        const int Callers = 20;
        const int Each = 50;
        Task<long[]>[] callers =
        [
            .. Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
            {
                var sums = new long[Each];
                for (int i = 0; i < Each; i++)
                {
                    sums[i] = await AddAsync(store, Key, 1, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
                }

                return sums;
            })),
        ];
        var seen = new HashSet<long>((await Task.WhenAll(callers).ConfigureAwait(false)).SelectMany(static sums => sums));

        // Distinct sums are what lets exactly the limit pass: two calls that read the same one would both be within it.
        ContractException.Require(
            seen.Count == Callers * Each && seen.Min() == 1 && seen.Max() == Callers * Each,
            $"{Callers * Each} parallel additions of 1 return each sum from 1 to {Callers * Each} once; there were {seen.Count} different ones");
    }

    private static async Task SumNeverTurnsOver(BudgetStoreContract contract, IBudgetStore store)
    {
        long near = long.MaxValue - 1;
        try
        {
            await AddAsync(store, Key, near, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
            long sum = await AddAsync(store, Key, near, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
            ContractException.Require(sum >= near, $"a sum that is too large stays large, or throws: it is {sum}");
        }
        catch (Exception refusal) when (refusal is not ContractException)
        {
            // A store that cannot hold the sum throws, which denies.
        }
    }

    private static async Task NegativeIsRefused(BudgetStoreContract contract, IBudgetStore store)
    {
        await AddAsync(store, Key, 3, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        bool refused = false;
        try
        {
            await AddAsync(store, Key, -2, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            refused = true;
        }

        long sum = await AddAsync(store, Key, 0, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        ContractException.Require(refused && sum == 3, $"a negative amount is an ArgumentException and changes nothing: the sum is {sum}");
    }

    private static async Task CancelledThrows(BudgetStoreContract contract, IBudgetStore store)
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync().ConfigureAwait(false);
        try
        {
            await store.AddAsync(Key, 1, Timeout.InfiniteTimeSpan, cancelled.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        throw new ContractException("a cancelled addition throws OperationCanceledException");
    }
}
