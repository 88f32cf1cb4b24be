namespace Mcp.Guard.Testing;

/// <summary>
/// What every <see cref="IConsentStore"/> must do. Derive, make an empty store in <see cref="CreateAsync"/>, and run each of <see cref="Cases"/>
/// with <see cref="RunAsync"/> from a test of your own framework; a broken contract is a <see cref="ContractException"/>.
/// </summary>
public abstract class ConsentStoreContract
{
    // Far ahead, so that a store which drops what has expired by its own clock drops nothing here.
    private static readonly DateTimeOffset Now = new(2100, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly Dictionary<string, Func<IConsentStore, Task>> Checks = new(StringComparer.Ordinal)
    {
        ["empty-store-covers-nothing"] = EmptyStoreCoversNothing,
        ["lasting-grant-covers-again-and-again"] = LastingGrantCoversAgain,
        ["single-use-grant-covers-once"] = SingleUseCoversOnce,
        ["single-use-grant-is-atomic"] = SingleUseIsAtomic,
        ["every-part-of-the-binding-counts"] = EveryPartCounts,
        ["any-arguments-and-any-session-do-not-count"] = WidenedPartsDoNotCount,
        ["refusal-wins-over-a-grant"] = RefusalWins,
        ["refusal-does-not-use-up-a-grant"] = RefusalDoesNotUseUp,
        ["expired-grant-covers-nothing"] = ExpiredCoversNothing,
        ["revoked-grant-covers-nothing"] = RevokedCoversNothing,
        ["list-shows-only-the-users-own"] = ListShowsOwn,
        ["a-full-store-refuses-and-keeps-refusals"] = FullStoreRefuses,
    };

    /// <summary>The names of the cases.</summary>
    public static IReadOnlyCollection<string> Cases => Checks.Keys;

    /// <summary>Runs one case against a new store.</summary>
    /// <param name="name">One of <see cref="Cases"/>.</param>
    /// <exception cref="ContractException">The contract is broken.</exception>
    public async Task RunAsync(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Checks.TryGetValue(name, out Func<IConsentStore, Task>? check))
        {
            throw new ArgumentException($"There is no case '{name}'.", nameof(name));
        }

        IConsentStore store = await CreateAsync().ConfigureAwait(false);
        try
        {
            await check(store).ConfigureAwait(false);
        }
        finally
        {
            await ReleaseAsync(store).ConfigureAwait(false);
        }
    }

    /// <summary>Makes an empty store that shares nothing with an earlier one.</summary>
    protected abstract ValueTask<IConsentStore> CreateAsync();

    /// <summary>Releases a store after its case.</summary>
    /// <param name="store">What <see cref="CreateAsync"/> made.</param>
    protected virtual ValueTask ReleaseAsync(IConsentStore store)
    {
        (store as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static ConsentBinding Binding() => new()
    {
        Server = "files (npx server)",
        Method = "tools/call",
        Tool = "delete_file",
        Fingerprint = new string('a', 64),
        ArgumentsDigest = new string('b', 64),
        UserId = "ada",
        SessionId = "s1",
        PolicyRevision = "p1",
    };

    private static ConsentGrant Grant(ConsentBinding binding, bool refusal = false, bool once = false, bool anyArguments = false, bool anySession = false, DateTimeOffset? until = null) => new()
    {
        GrantId = Guid.NewGuid().ToString("N"),
        Binding = binding,
        IsRefusal = refusal,
        IsSingleUse = once,
        CoversAnyArguments = anyArguments,
        CoversAnySession = anySession,
        ExpiresAt = until ?? Now.AddHours(1),
    };

    private static async Task EmptyStoreCoversNothing(IConsentStore store)
    {
        ContractException.Require(await Take(store, Binding()).ConfigureAwait(false) is null, "an empty store returned a grant");
        ContractException.Require((await store.ListAsync("ada", Now, CancellationToken.None).ConfigureAwait(false)).Count == 0, "an empty store listed a grant");
        ContractException.Require(!await store.RevokeAsync("none", CancellationToken.None).ConfigureAwait(false), "an unknown grant was revoked");
    }

    private static async Task LastingGrantCoversAgain(IConsentStore store)
    {
        ConsentGrant grant = Grant(Binding());
        await store.AddAsync(grant, CancellationToken.None).ConfigureAwait(false);
        for (int i = 0; i < 3; i++)
        {
            ConsentGrant? found = await Take(store, Binding()).ConfigureAwait(false);
            ContractException.Require(found?.GrantId == grant.GrantId, "a lasting grant was not found, or used up");
        }
    }

    private static async Task SingleUseCoversOnce(IConsentStore store)
    {
        await store.AddAsync(Grant(Binding(), once: true), CancellationToken.None).ConfigureAwait(false);
        ContractException.Require(await Take(store, Binding()).ConfigureAwait(false) is not null, "a grant for one use was not found");
        ContractException.Require(await Take(store, Binding()).ConfigureAwait(false) is null, "a grant for one use was found twice");
    }

    private static async Task SingleUseIsAtomic(IConsentStore store)
    {
        const int Callers = 1000;
        await store.AddAsync(Grant(Binding(), once: true), CancellationToken.None).ConfigureAwait(false);
        using var start = new ManualResetEventSlim();
        var callers = new Task<ConsentGrant?>[Callers];
        for (int i = 0; i < Callers; i++)
        {
            callers[i] = Task.Run(async () =>
            {
                start.Wait();
                return await Take(store, Binding()).ConfigureAwait(false);
            });
        }

        start.Set();
        ConsentGrant?[] found = await Task.WhenAll(callers).ConfigureAwait(false);
        int count = found.Count(static grant => grant is not null);
        ContractException.Require(count == 1, $"of {Callers} parallel callers {count} received the grant for one use");
    }

    private static async Task EveryPartCounts(IConsentStore store)
    {
        ConsentBinding binding = Binding();
        await store.AddAsync(Grant(binding), CancellationToken.None).ConfigureAwait(false);
        (string Part, ConsentBinding Call)[] others =
        [
            ("server", binding with { Server = "files (other server)" }),
            ("method", binding with { Method = "prompts/get" }),
            ("tool", binding with { Tool = "Delete_File" }),
            ("fingerprint", binding with { Fingerprint = new string('c', 64) }),
            ("arguments", binding with { ArgumentsDigest = new string('c', 64) }),
            ("user", binding with { UserId = "Ada" }),
            ("session", binding with { SessionId = "s2" }),
            ("policy", binding with { PolicyRevision = "p2" }),
        ];
        foreach ((string part, ConsentBinding call) in others)
        {
            ContractException.Require(await Take(store, call).ConfigureAwait(false) is null, $"a grant covered a call with another {part}");
        }
    }

    private static async Task WidenedPartsDoNotCount(IConsentStore store)
    {
        ConsentBinding binding = Binding();
        await store.AddAsync(Grant(binding, anyArguments: true, anySession: true), CancellationToken.None).ConfigureAwait(false);
        ConsentBinding other = binding with { ArgumentsDigest = new string('c', 64), SessionId = "s2" };
        ContractException.Require(await Take(store, other).ConfigureAwait(false) is not null, "a grant for any arguments and sessions did not cover others");
        ContractException.Require(await Take(store, other with { Fingerprint = new string('d', 64) }).ConfigureAwait(false) is null, "it covered another definition");
    }

    private static async Task RefusalWins(IConsentStore store)
    {
        await store.AddAsync(Grant(Binding()), CancellationToken.None).ConfigureAwait(false);
        await store.AddAsync(Grant(Binding(), refusal: true, anyArguments: true, anySession: true), CancellationToken.None).ConfigureAwait(false);
        await store.AddAsync(Grant(Binding()), CancellationToken.None).ConfigureAwait(false);
        ContractException.Require(await Take(store, Binding()).ConfigureAwait(false) is { IsRefusal: true }, "a grant won over a refusal");
        ConsentBinding changed = Binding() with { Fingerprint = new string('c', 64), PolicyRevision = "p2", ArgumentsDigest = new string('d', 64) };
        ContractException.Require(await Take(store, changed).ConfigureAwait(false) is { IsRefusal: true }, "a refusal ended with a new definition or policy");
    }

    private static async Task RefusalDoesNotUseUp(IConsentStore store)
    {
        ConsentGrant refusal = Grant(Binding(), refusal: true);
        await store.AddAsync(Grant(Binding(), once: true), CancellationToken.None).ConfigureAwait(false);
        await store.AddAsync(refusal, CancellationToken.None).ConfigureAwait(false);
        ContractException.Require(await Take(store, Binding()).ConfigureAwait(false) is { IsRefusal: true }, "a grant won over a refusal");
        ContractException.Require(await store.RevokeAsync(refusal.GrantId, CancellationToken.None).ConfigureAwait(false), "a refusal could not be revoked");
        ContractException.Require(await Take(store, Binding()).ConfigureAwait(false) is { IsRefusal: false }, "a refused call used up a grant");
    }

    private static async Task ExpiredCoversNothing(IConsentStore store)
    {
        await store.AddAsync(Grant(Binding(), until: Now.AddMinutes(1)), CancellationToken.None).ConfigureAwait(false);
        ContractException.Require(await store.TakeAsync(Binding(), Now.AddMinutes(1).AddTicks(-1), CancellationToken.None).ConfigureAwait(false) is not null, "a grant ended before its time");
        ContractException.Require(await store.TakeAsync(Binding(), Now.AddMinutes(1), CancellationToken.None).ConfigureAwait(false) is null, "a grant held at the moment of its end");
    }

    private static async Task RevokedCoversNothing(IConsentStore store)
    {
        ConsentGrant grant = Grant(Binding());
        await store.AddAsync(grant, CancellationToken.None).ConfigureAwait(false);
        ContractException.Require(await store.RevokeAsync(grant.GrantId, CancellationToken.None).ConfigureAwait(false), "a stored grant was not revoked");
        ContractException.Require(!await store.RevokeAsync(grant.GrantId, CancellationToken.None).ConfigureAwait(false), "a grant was revoked twice");
        ContractException.Require(await Take(store, Binding()).ConfigureAwait(false) is null, "a revoked grant covered a call");
    }

    private static async Task ListShowsOwn(IConsentStore store)
    {
        ConsentGrant mine = Grant(Binding());
        await store.AddAsync(mine, CancellationToken.None).ConfigureAwait(false);
        await store.AddAsync(Grant(Binding() with { UserId = "bob" }), CancellationToken.None).ConfigureAwait(false);
        await store.AddAsync(Grant(Binding() with { Tool = "other" }, until: Now.AddSeconds(1)), CancellationToken.None).ConfigureAwait(false);
        IReadOnlyList<ConsentGrant> listed = await store.ListAsync("ada", Now.AddSeconds(1), CancellationToken.None).ConfigureAwait(false);
        ContractException.Require(listed.Count == 1 && listed[0].GrantId == mine.GrantId, $"the list of one user holds {listed.Count} entries in place of the one that holds");
    }

    private static async Task FullStoreRefuses(IConsentStore store)
    {
        // A store that takes this many is bounded by something that a test does not reach.
        const int Enough = 12_000;
        await store.AddAsync(Grant(Binding(), refusal: true, anyArguments: true, anySession: true, until: DateTimeOffset.MaxValue), CancellationToken.None).ConfigureAwait(false);
        try
        {
            for (int i = 0; i < Enough; i++)
            {
                await store.AddAsync(
                    Grant(Binding() with { Tool = i.ToString(System.Globalization.CultureInfo.InvariantCulture) }, until: DateTimeOffset.MaxValue),
                    CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (InvalidOperationException)
        {
            // The way in which a store says that it is full.
        }

        ContractException.Require(await Take(store, Binding()).ConfigureAwait(false) is { IsRefusal: true }, "a full store dropped a refusal");
    }

    private static ValueTask<ConsentGrant?> Take(IConsentStore store, ConsentBinding binding) => store.TakeAsync(binding, Now, CancellationToken.None);
}
