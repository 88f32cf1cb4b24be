using System.Globalization;

namespace Mcp.Guard.Testing;

/// <summary>
/// What every <see cref="IHaltStore"/> must do. Derive, make an empty store in <see cref="CreateAsync"/>, and run each of <see cref="Cases"/>
/// with <see cref="RunAsync"/> from a test of your own framework; a broken contract is a <see cref="ContractException"/>. A store that several hosts
/// share gives another host's view of it in <see cref="OpenOtherHostAsync"/>.
/// </summary>
public abstract class HaltStoreContract
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly Dictionary<string, Func<HaltStoreContract, IHaltStore, Task>> Checks = new(StringComparer.Ordinal)
    {
        ["an-empty-store-has-no-stops"] = EmptyHasNone,
        ["what-was-set-is-read"] = SetIsRead,
        ["the-same-scope-again-replaces-the-reason"] = SameScopeReplaces,
        ["every-part-of-the-scope-counts"] = EveryPartCounts,
        ["only-exactly-the-scope-is-cleared"] = OnlyExactlyIsCleared,
        ["parallel-stops-are-all-kept"] = ParallelAreKept,
        ["what-was-read-does-not-change"] = ReadIsASnapshot,
        ["everything-can-be-stopped-however-many-stops-there-are"] = EverythingAlwaysFits,
        ["a-change-has-a-higher-version"] = ChangeIsNewer,
        ["versions-order-what-parallel-reads-saw"] = VersionsOrderReads,
        ["another-host-reads-the-stop"] = OtherHostReads,
        ["another-host-is-told-of-stop-and-end"] = OtherHostIsTold,
        ["an-ended-subscription-is-silent"] = EndedIsSilent,
    };

    /// <summary>The names of the cases.</summary>
    public static IReadOnlyCollection<string> Cases => Checks.Keys;

    /// <summary>How long a change may take to reach another host: 10 s unless the store needs more.</summary>
    protected virtual TimeSpan Arrival => TimeSpan.FromSeconds(10);

    /// <summary>Runs one case against a new store.</summary>
    /// <param name="name">One of <see cref="Cases"/>.</param>
    /// <exception cref="ContractException">The contract is broken.</exception>
    public async Task RunAsync(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Checks.TryGetValue(name, out Func<HaltStoreContract, IHaltStore, Task>? check))
        {
            throw new ArgumentException($"There is no case '{name}'.", nameof(name));
        }

        IHaltStore store = await CreateAsync().ConfigureAwait(false);
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
    protected abstract ValueTask<IHaltStore> CreateAsync();

    /// <summary>Opens the same stops as another host would; null where the store belongs to one process, and the cases about other hosts pass unasked.</summary>
    /// <param name="store">What <see cref="CreateAsync"/> made.</param>
    protected virtual ValueTask<IHaltStore?> OpenOtherHostAsync(IHaltStore store) => new((IHaltStore?)null);

    /// <summary>Releases a store after its case, another host's view too.</summary>
    /// <param name="store">What <see cref="CreateAsync"/> or <see cref="OpenOtherHostAsync"/> made.</param>
    protected virtual ValueTask ReleaseAsync(IHaltStore store)
    {
        (store as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static Halt Stop(HaltScope scope, string reason = "why") => new(scope, reason, Now);

    private static ValueTask SetAsync(IHaltStore store, Halt halt) => store.SetAsync(halt, CancellationToken.None);

    private static async ValueTask<IReadOnlyList<Halt>> ReadAsync(IHaltStore store) => (await SnapshotAsync(store).ConfigureAwait(false)).Halts;

    private static ValueTask<HaltSnapshot> SnapshotAsync(IHaltStore store) => store.ReadAsync(CancellationToken.None);

    private static async Task EmptyHasNone(HaltStoreContract contract, IHaltStore store)
    {
        IReadOnlyList<Halt> read = await ReadAsync(store).ConfigureAwait(false);
        ContractException.Require(read.Count == 0, $"an empty store has no stops, not {read.Count}");
        ContractException.Require(!await store.ClearAsync(HaltScope.Everything, CancellationToken.None).ConfigureAwait(false), "what was not set is not cleared");
    }

    private static async Task SetIsRead(HaltStoreContract contract, IHaltStore store)
    {
        Halt stop = Stop(new HaltScope("files", "delete", "ada"), "a reason with \"quotes\", a \n line and \u20AC");
        await SetAsync(store, stop).ConfigureAwait(false);
        IReadOnlyList<Halt> read = await ReadAsync(store).ConfigureAwait(false);
        ContractException.Require(read.Count == 1 && read[0] == stop, $"the stop that was set is read: {string.Join("; ", read)}");
    }

    private static async Task SameScopeReplaces(HaltStoreContract contract, IHaltStore store)
    {
        await SetAsync(store, Stop(new HaltScope("files"), "first")).ConfigureAwait(false);
        await SetAsync(store, Stop(new HaltScope("files"), "second")).ConfigureAwait(false);
        IReadOnlyList<Halt> read = await ReadAsync(store).ConfigureAwait(false);
        ContractException.Require(read.Count == 1 && read[0].Reason == "second", $"one stop with the second reason: {string.Join("; ", read)}");
    }

    private static HaltScope[] Scopes() =>
    [
        HaltScope.Everything, new("files"), new("Files"), new("files", "delete"), new("files", "delete", "ada"), new("files", null, "ada"), new(null, null, "ada"),
        new("files:delete"), new("files", "delete:ada"), new(string.Empty), new("null"),
    ];

    private static async Task EveryPartCounts(HaltStoreContract contract, IHaltStore store)
    {
        foreach (HaltScope scope in Scopes())
        {
            await SetAsync(store, Stop(scope)).ConfigureAwait(false);
        }

        IReadOnlyList<Halt> read = await ReadAsync(store).ConfigureAwait(false);
        foreach (HaltScope scope in Scopes())
        {
            int count = read.Count(halt => halt.Scope == scope);
            ContractException.Require(count == 1, $"each scope is kept once, and {scope} was read {count} times");
        }
    }

    private static async Task OnlyExactlyIsCleared(HaltStoreContract contract, IHaltStore store)
    {
        foreach (HaltScope scope in Scopes())
        {
            await SetAsync(store, Stop(scope)).ConfigureAwait(false);
        }

        var files = new HaltScope("files");
        ContractException.Require(await store.ClearAsync(files, CancellationToken.None).ConfigureAwait(false), "a stop that was set is cleared");
        ContractException.Require(!await store.ClearAsync(files, CancellationToken.None).ConfigureAwait(false), "a stop is cleared once");
        IReadOnlyList<Halt> read = await ReadAsync(store).ConfigureAwait(false);
        ContractException.Require(read.Count == Scopes().Length - 1 && read.All(halt => halt.Scope != files), "clearing one scope leaves every other, wider or narrower");
    }

    private static async Task ParallelAreKept(HaltStoreContract contract, IHaltStore store)
    {
        const int Count = 50;
        await Task.WhenAll(Enumerable.Range(0, Count).Select(
            i => Task.Run(() => SetAsync(store, Stop(new HaltScope("s" + i.ToString(CultureInfo.InvariantCulture)))).AsTask()))).ConfigureAwait(false);
        IReadOnlyList<Halt> read = await ReadAsync(store).ConfigureAwait(false);
        ContractException.Require(read.Count == Count, $"of {Count} parallel stops {read.Count} are in force");
    }

    private static async Task ReadIsASnapshot(HaltStoreContract contract, IHaltStore store)
    {
        await SetAsync(store, Stop(new HaltScope("files"))).ConfigureAwait(false);
        IReadOnlyList<Halt> read = await ReadAsync(store).ConfigureAwait(false);
        await SetAsync(store, Stop(new HaltScope("notes"))).ConfigureAwait(false);
        await store.ClearAsync(new HaltScope("files"), CancellationToken.None).ConfigureAwait(false);
        ContractException.Require(read.Count == 1 && read[0].Scope == new HaltScope("files"), "a list that was read does not change afterwards");
    }

    private static async Task EverythingAlwaysFits(HaltStoreContract contract, IHaltStore store)
    {
        // More than the guard ever sets; a store may refuse some of them.
        const int Many = 1100;
        for (int i = 0; i < Many; i++)
        {
            try
            {
                await SetAsync(store, Stop(new HaltScope(null, null, "u" + i.ToString(CultureInfo.InvariantCulture)))).ConfigureAwait(false);
            }
            catch (InvalidOperationException)
            {
                break;
            }
        }

        await SetAsync(store, Stop(HaltScope.Everything)).ConfigureAwait(false);
        IReadOnlyList<Halt> read = await ReadAsync(store).ConfigureAwait(false);
        ContractException.Require(read.Any(static halt => halt.Scope == HaltScope.Everything), "a stop of everything is set where there is no room for another");
    }

    private static async Task ChangeIsNewer(HaltStoreContract contract, IHaltStore store)
    {
        var scope = new HaltScope("files");
        HaltSnapshot empty = await SnapshotAsync(store).ConfigureAwait(false);
        await SetAsync(store, Stop(scope)).ConfigureAwait(false);
        HaltSnapshot set = await SnapshotAsync(store).ConfigureAwait(false);
        await SetAsync(store, Stop(scope, "again")).ConfigureAwait(false);
        HaltSnapshot again = await SnapshotAsync(store).ConfigureAwait(false);
        await store.ClearAsync(scope, CancellationToken.None).ConfigureAwait(false);
        HaltSnapshot cleared = await SnapshotAsync(store).ConfigureAwait(false);
        HaltSnapshot same = await SnapshotAsync(store).ConfigureAwait(false);
        ContractException.Require(
            empty.Version < set.Version && set.Version < again.Version && again.Version < cleared.Version,
            $"each change has a higher version: {empty.Version}, {set.Version}, {again.Version}, {cleared.Version}");
        ContractException.Require(same.Version == cleared.Version, "without a change the version stays");
    }

    // Stops are only added here, so the newer of two lists holds all of the older one.
    private static async Task VersionsOrderReads(HaltStoreContract contract, IHaltStore store)
    {
        const int Count = 40;
        IHaltStore? other = await contract.OpenOtherHostAsync(store).ConfigureAwait(false);
        try
        {
            IHaltStore writer = other ?? store;
            Task writing = Task.Run(async () =>
            {
                for (int i = 0; i < Count; i++)
                {
                    await SetAsync(writer, Stop(new HaltScope("s" + i.ToString(CultureInfo.InvariantCulture)))).ConfigureAwait(false);
                }
            });
            HaltSnapshot[][] read = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
            {
                var own = new List<HaltSnapshot>();
                while (!writing.IsCompleted)
                {
                    own.Add(await SnapshotAsync(store).ConfigureAwait(false));
                }

                return own.ToArray();
            }))).ConfigureAwait(false);
            await writing.ConfigureAwait(false);
            HaltSnapshot[] ordered = [.. read.SelectMany(static own => own).OrderBy(static snapshot => snapshot.Version)];
            for (int i = 1; i < ordered.Length; i++)
            {
                ContractException.Require(
                    ordered[i - 1].Version == ordered[i].Version ? ordered[i - 1].Halts.Count == ordered[i].Halts.Count : ordered[i - 1].Halts.Count < ordered[i].Halts.Count,
                    "of two lists the one with the higher version is newer, and equal versions are equal lists");
            }
        }
        finally
        {
            if (other is not null)
            {
                await contract.ReleaseAsync(other).ConfigureAwait(false);
            }
        }
    }

    private static async Task OtherHostReads(HaltStoreContract contract, IHaltStore store)
    {
        if (await contract.OpenOtherHostAsync(store).ConfigureAwait(false) is not { } other)
        {
            return;
        }

        try
        {
            await SetAsync(store, Stop(new HaltScope("files"))).ConfigureAwait(false);
            IReadOnlyList<Halt> read = await ReadAsync(other).ConfigureAwait(false);
            ContractException.Require(read.Count == 1 && read[0] == Stop(new HaltScope("files")), "another host reads the stop as soon as it is set");
        }
        finally
        {
            await contract.ReleaseAsync(other).ConfigureAwait(false);
        }
    }

    private static async Task OtherHostIsTold(HaltStoreContract contract, IHaltStore store)
    {
        if (await contract.OpenOtherHostAsync(store).ConfigureAwait(false) is not { } other)
        {
            return;
        }

        try
        {
            var first = new HaltScope("files");
            var second = new HaltScope(null, null, "ada");
            await SetAsync(store, Stop(first)).ConfigureAwait(false);
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using IDisposable subscription = other.Subscribe(told =>
            {
                IReadOnlyList<Halt> halts = told.Halts;
                if (halts.Count == 2 && halts.Any(halt => halt.Scope == first) && halts.Any(halt => halt.Scope == second))
                {
                    stopped.TrySetResult();
                }
                else if (halts.Count == 1 && halts[0].Scope == second)
                {
                    ended.TrySetResult();
                }
            });
            await SetAsync(store, Stop(second)).ConfigureAwait(false);
            await contract.ArrivedAsync(stopped.Task, "another host is told the whole list after a stop").ConfigureAwait(false);
            await store.ClearAsync(first, CancellationToken.None).ConfigureAwait(false);
            await contract.ArrivedAsync(ended.Task, "another host is told the whole list after the end of a stop").ConfigureAwait(false);
        }
        finally
        {
            await contract.ReleaseAsync(other).ConfigureAwait(false);
        }
    }

    private static async Task EndedIsSilent(HaltStoreContract contract, IHaltStore store)
    {
        // Ending a subscription, twice too, throws nothing.
        IDisposable own = store.Subscribe(static _ => { });
        own.Dispose();
        own.Dispose();
        if (await contract.OpenOtherHostAsync(store).ConfigureAwait(false) is not { } other)
        {
            return;
        }

        try
        {
            int told = 0;
            IDisposable ended = other.Subscribe(_ => Interlocked.Increment(ref told));
            ended.Dispose();
            var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using IDisposable live = other.Subscribe(halts =>
            {
                if (halts.Halts.Count == 1)
                {
                    heard.TrySetResult();
                }
            });
            int before = Volatile.Read(ref told);
            await SetAsync(store, Stop(new HaltScope("files"))).ConfigureAwait(false);
            await contract.ArrivedAsync(heard.Task, "a second subscription is told").ConfigureAwait(false);
            ContractException.Require(Volatile.Read(ref told) == before, "an ended subscription is not called again");
        }
        finally
        {
            await contract.ReleaseAsync(other).ConfigureAwait(false);
        }
    }

    private async Task ArrivedAsync(Task task, string sentence)
    {
        try
        {
            await task.WaitAsync(Arrival).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            throw new ContractException($"{sentence}, within {Arrival}", late);
        }
    }
}
