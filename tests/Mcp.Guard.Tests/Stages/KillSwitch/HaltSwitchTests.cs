using Mcp.Guard.Stages.KillSwitch;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.KillSwitch;

[TestFixture]
internal sealed class HaltSwitchTests
{
    private static readonly HaltScope[] Scopes =
    [
        HaltScope.Everything, new("s"), new("s", "t"), new(UserId: "u"), new("s", UserId: "u"), new("s", "t", "u"), new("x"), new("s", "x"), new(UserId: "x"), new("s", "t", "x"),
    ];

    [TestCaseSource(nameof(Scopes))]
    public async Task Find_OneScopeHalted_CoversExactlyWhatTheScopeSays(HaltScope scope)
    {
        using HaltSwitch halts = await Started();
        await halts.HaltAsync(scope, "test", default);
        foreach (string server in (string[])["s", "other"])
        {
            foreach (string? tool in (string?[])["t", "other", null])
            {
                foreach (string user in (string[])["u", "other"])
                {
                    bool covers = scope.Covers(server, tool, user);
                    Assert.That(halts.Find(server, tool, user)?.Reason, Is.EqualTo(covers ? "test" : null), $"{server} {tool} {user}");
                }
            }
        }

        Assert.That(await halts.ResumeAsync(new HaltScope("never"), default), Is.False);
        Assert.That(await halts.ResumeAsync(scope, default), Is.True);
        Assert.That(halts.Find("s", "t", "u"), Is.Null);
    }

    [Test]
    public async Task Halt_RunningCalls_CancelsThoseItCovers()
    {
        using HaltSwitch halts = await Started();
        using HaltRegistration covered = halts.Register("s", "t", "u");
        using HaltRegistration other = halts.Register("s", "other", "u");
        await halts.HaltAsync(new HaltScope("s", "t"), "test", default);
        await Cancelled(covered.Token);
        Assert.That(other.Token.IsCancellationRequested, Is.False);
        using HaltRegistration later = halts.Register("s", "t", "u");
        await Cancelled(later.Token);
    }

    [Test]
    public async Task Halt_CallbackThatHangs_DoesNotKeepOthersRunning()
    {
        using HaltSwitch halts = await Started();
        using var never = new ManualResetEventSlim();
        HaltRegistration[] running = [.. Enumerable.Range(0, 4).Select(_ => halts.Register("s", "t", "u"))];
        running[0].Token.Register(() => never.Wait(TimeSpan.FromMinutes(1)));
        running[1].Token.Register(() => throw new InvalidOperationException("broken"));
        await halts.HaltAsync(HaltScope.Everything, "test", default);
        foreach (HaltRegistration registration in running)
        {
            await Cancelled(registration.Token);
        }

        never.Set();
    }

    [Test]
    public async Task Find_StopsNeverRead_EverythingIsStopped()
    {
        using var halts = new HaltSwitch(new BrokenStore(), new FakeTimeProvider());
        Assert.That(halts.Find("s", "t", "u"), Is.Not.Null);
        Assert.That(async () => await halts.StartAsync(default), Throws.InstanceOf<IOException>());
        Assert.That(async () => await halts.HaltAsync(new HaltScope("x"), "test", default), Throws.InstanceOf<IOException>());
        Assert.That(halts.Find("s", "t", "u"), Is.Not.Null);
        Assert.That(halts.IsKnown, Is.False);
        await Task.CompletedTask;
    }

    [Test]
    public async Task Halt_StoreFails_HoldsHereAllTheSame()
    {
        var store = new BrokenStore { IsBroken = false };
        using var halts = new HaltSwitch(store, new FakeTimeProvider());
        await halts.StartAsync(default);
        store.IsBroken = true;
        Assert.That(async () => await halts.HaltAsync(new HaltScope("s"), "test", default), Throws.InstanceOf<IOException>());
        Assert.That(halts.Find("s", null, "u"), Is.Not.Null);
        Assert.That(async () => await halts.ResumeAsync(new HaltScope("s"), default), Throws.InstanceOf<IOException>());
        Assert.That(halts.Find("s", null, "u"), Is.Not.Null, "a stop ends only when the store has forgotten it");
        store.IsBroken = false;
        store.Tell([]);
        Assert.That(halts.Find("s", null, "u"), Is.Not.Null, "another host's list does not end what was never stored");
        Assert.That(await halts.ResumeAsync(new HaltScope("s"), default), Is.True);
        Assert.That(halts.Find("s", null, "u"), Is.Null);
    }

    [Test]
    public async Task Subscribe_AnotherHostHalts_RunningCallsEndHere()
    {
        var store = new BrokenStore { IsBroken = false };
        using var halts = new HaltSwitch(store, new FakeTimeProvider());
        await halts.StartAsync(default);
        using HaltRegistration running = halts.Register("s", "t", "u");
        store.Tell([new Halt(new HaltScope("s"), "elsewhere", default)]);
        await Cancelled(running.Token);
        Assert.That(halts.Find("s", "t", "u")!.Reason, Is.EqualTo("elsewhere"));
    }

    // The other host's word of it never comes: the read of this host's own stop shows it first.
    [TestCase(true)]
    [TestCase(false)]
    public async Task HaltAndResume_OwnReadShowsAnotherHostsStop_RunningCallsEndHere(bool halts)
    {
        var shared = new InMemoryHaltStore();
        using var here = new HaltSwitch(shared, new FakeTimeProvider());
        await here.StartAsync(default);
        using HaltRegistration running = here.Register("s", "t", "u");
        int told = 0;
        here.Changed = () => told += here.Find("s", "t", "u") is null ? 0 : 1;
        await shared.SetAsync(new Halt(new HaltScope("s"), "elsewhere", default), default);
        if (halts)
        {
            await here.HaltAsync(new HaltScope("other"), "test", default);
        }
        else
        {
            await here.ResumeAsync(new HaltScope("other"), default);
        }

        await Cancelled(running.Token);
        Assert.That(told, Is.Positive, "and transports end what they forwarded");
    }

    // A read that began before another host's stop may arrive after the one that shows it.
    [Test]
    public async Task Subscribe_OlderListArrivesLate_EndsNoStopAndBringsNoneBack()
    {
        var store = new BrokenStore { IsBroken = false };
        using var halts = new HaltSwitch(store, new FakeTimeProvider());
        await halts.StartAsync(default);
        Halt stop = new(new HaltScope("s"), "elsewhere", default);
        store.Tell([stop], version: 7);
        store.Tell([], version: 6);
        Assert.That(halts.Find("s", null, "u"), Is.EqualTo(stop), "the older list does not end it");
        store.Tell([], version: 8);
        store.Tell([stop], version: 7);
        Assert.That(halts.Find("s", null, "u"), Is.Null, "nor bring it back");
        store.Tell([stop], version: 8);
        Assert.That(halts.Find("s", null, "u"), Is.EqualTo(stop), "one of the same version does: the shared store says so where it cannot read");
    }

    // Every order in which the lists of a short history can arrive leaves the newest in force.
    [Test]
    public async Task Subscribe_ListsInAnyOrder_TheNewestIsInForce()
    {
        Halt[][] history = [[], [Of("a")], [Of("a"), Of("b")], [Of("b")], [Of("b"), Of("c")]];
        foreach (int[] order in Orders(history.Length))
        {
            var store = new BrokenStore { IsBroken = false };
            using var halts = new HaltSwitch(store, new FakeTimeProvider());
            await halts.StartAsync(default);
            foreach (int at in order)
            {
                store.Tell(history[at], version: at);
            }

            Assert.That(halts.InForce, Is.EquivalentTo(history[^1]), string.Join(',', order));
        }

        static Halt Of(string server) => new(new HaltScope(server), "test", default);
    }

    private static IEnumerable<int[]> Orders(int count) => count == 0
        ? [[]]
        : Orders(count - 1).SelectMany(rest => Enumerable.Range(0, count).Select(at => (int[])[.. rest[..at], count - 1, .. rest[at..]]));

    // The store cannot take the second stop, so nothing but this host knows of it.
    [Test]
    public async Task Resume_StoppedAgainMeanwhile_TheNewStopHolds()
    {
        var store = new BrokenStore { IsBroken = false };
        using var halts = new HaltSwitch(store, new FakeTimeProvider());
        await halts.StartAsync(default);
        await halts.HaltAsync(new HaltScope("s"), "first", default);
        store.Reading = async () =>
        {
            store.IsBroken = true;
            Assert.That(async () => await halts.HaltAsync(new HaltScope("s"), "second", default), Throws.InstanceOf<IOException>());
            store.IsBroken = false;
            await Task.CompletedTask;
        };
        await halts.ResumeAsync(new HaltScope("s"), default);
        Assert.That(halts.Find("s", null, "u")?.Reason, Is.EqualTo("second"));
    }

    // Whoever stops a thousand users one by one must still find the button that stops all.
    [TestCase(true)]
    [TestCase(false)]
    public async Task Halt_EverythingWhereAllPlacesAreTaken_IsInForceAndStored(bool storeWorks)
    {
        var store = new BrokenStore { IsBroken = false };
        using var halts = new HaltSwitch(store, new FakeTimeProvider());
        await halts.StartAsync(default);
        store.IsBroken = !storeWorks;
        for (int i = 0; i < HaltSwitch.MaxHalts; i++)
        {
            await Halt(new HaltScope(null, null, "u" + i));
        }

        Assert.That(async () => await halts.HaltAsync(new HaltScope("s"), "one too many", default), Throws.Exception);
        await Halt(HaltScope.Everything);
        Assert.That(halts.Find("any", null, "nobody")!.Scope, Is.EqualTo(HaltScope.Everything));
        if (storeWorks)
        {
            Assert.That((await store.ReadAsync(default)).Halts.Select(halt => halt.Scope), Does.Contain(HaltScope.Everything));
        }

        async Task Halt(HaltScope scope)
        {
            try
            {
                await halts.HaltAsync(scope, "test", default);
            }
            catch (IOException) when (!storeWorks)
            {
                // In force here all the same.
            }
        }
    }

    [Test]
    public async Task Halt_ToolWithoutServer_Throws()
    {
        using HaltSwitch halts = await Started();
        Assert.That(async () => await halts.HaltAsync(new HaltScope(null, "t"), "test", default), Throws.ArgumentException);
    }

    [TestCase("")]
    [TestCase("  ")]
    public async Task Halt_WithoutAReason_Throws(string reason)
    {
        using HaltSwitch halts = await Started();
        Assert.That(async () => await halts.HaltAsync(new HaltScope("s"), reason, default), Throws.ArgumentException);
        Assert.That(halts.InForce, Is.Empty);
    }

    [Test]
    public async Task Halt_Refused_SaysWhatToDo()
    {
        var store = new BrokenStore { IsBroken = false };
        using var halts = new HaltSwitch(store, new FakeTimeProvider());
        await halts.StartAsync(default);
        Assert.That(async () => await halts.HaltAsync(new HaltScope(null, "t"), "test", default), Throws.ArgumentException.With.Message.Contains("needs its server"));
        store.IsBroken = true;
        for (int i = 0; i < HaltSwitch.MaxHalts; i++)
        {
            Assert.That(async () => await halts.HaltAsync(new HaltScope($"s{i}"), "test", default), Throws.InstanceOf<IOException>(), $"{i}");
        }

        Assert.That(async () => await halts.HaltAsync(new HaltScope("more"), "test", default), Throws.ArgumentException.With.Message.Contains("1024 stops are in force"));
        Assert.That(async () => await halts.HaltAsync(new HaltScope("s7"), "again", default), Throws.InstanceOf<IOException>(), "one that is there takes no other place");
        Assert.That(halts.Find("s7", null, "u")!.Reason, Is.EqualTo("again"));
        Assert.That(halts.InForce, Has.Count.EqualTo(HaltSwitch.MaxHalts));
    }

    [Test]
    public void InForce_StopsNeverRead_IsTheOneThatStopsEverything()
    {
        using var halts = new HaltSwitch(new BrokenStore(), new FakeTimeProvider());
        Assert.That(halts.InForce.Single().Scope, Is.EqualTo(HaltScope.Everything));
        Assert.That(halts.InForce.Single().Reason, Is.Not.Empty);
    }

    // The stop is another host's business too: once the shared list shows it, its end there is its end here.
    [Test]
    public async Task Halt_StoredAndEndedElsewhere_EndsHere()
    {
        var store = new BrokenStore { IsBroken = false };
        using var halts = new HaltSwitch(store, new FakeTimeProvider());
        await halts.StartAsync(default);
        await halts.HaltAsync(new HaltScope("other"), "test", default);
        await halts.HaltAsync(new HaltScope("s"), "test", default);
        store.Tell([]);
        Assert.That(halts.InForce, Is.Empty);
    }

    // Until the shared list shows it, a list without it is an older one.
    [Test]
    public async Task Halt_StoreThatDoesNotShowIt_HoldsHere()
    {
        var store = new BrokenStore { IsBroken = false, Forgets = true };
        using var halts = new HaltSwitch(store, new FakeTimeProvider());
        await halts.StartAsync(default);
        store.Tell([new Halt(new HaltScope("other"), "elsewhere", default)]);
        await halts.HaltAsync(new HaltScope("s"), "test", default);
        store.Tell([]);
        Assert.That(halts.Find("s", null, "u")?.Reason, Is.EqualTo("test"));
    }

    [Test]
    public async Task Halt_StoreFails_RunningCallsEndAllTheSame()
    {
        var store = new BrokenStore { IsBroken = false };
        using var halts = new HaltSwitch(store, new FakeTimeProvider());
        await halts.StartAsync(default);
        using HaltRegistration running = halts.Register("s", "t", "u");
        store.IsBroken = true;
        Assert.That(async () => await halts.HaltAsync(new HaltScope("s"), "test", default), Throws.InstanceOf<IOException>());
        await Cancelled(running.Token);
    }

    [Test]
    public async Task Start_Twice_FollowsTheStoreOnceAndDisposeEndsIt()
    {
        var store = new BrokenStore { IsBroken = false };
        var halts = new HaltSwitch(store, new FakeTimeProvider());
        await halts.StartAsync(default);
        await halts.StartAsync(default);
        Assert.That((store.Subscriptions, store.Ended), Is.EqualTo((1, 0)));
        halts.Dispose();
        halts.Dispose();
        Assert.That(store.Ended, Is.EqualTo(1));
    }

    // A call that is done takes no part in later stops, and its token is nobody's any more.
    [Test]
    public async Task Dispose_Registration_TakesNoPartAnyMore()
    {
        using HaltSwitch halts = await Started();
        HaltRegistration done = halts.Register("s", "t", "u");
        CancellationToken token = done.Token;
        done.Dispose();
        await halts.HaltAsync(HaltScope.Everything, "test", default);
        Assert.That(token.IsCancellationRequested, Is.False);
        Assert.That(() => token.WaitHandle, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(done.Cancel, Throws.Nothing);
    }

    [Test]
    public async Task Resume_OfNothing_ChangesNothing()
    {
        var store = new InMemoryHaltStore();
        Assert.That(await store.ClearAsync(new HaltScope("s"), default), Is.False);
        Assert.That((await store.ReadAsync(default)).Version, Is.Zero);
        await store.SetAsync(new Halt(new HaltScope("s"), "test", default), default);
        Assert.That(await store.ClearAsync(new HaltScope("s"), default), Is.True);
        Assert.That((await store.ReadAsync(default)).Version, Is.EqualTo(2));
    }

    [Test]
    public async Task Set_StoreIsFull_SaysWhatToDoAndTakesWhatIsThereAgain()
    {
        var store = new InMemoryHaltStore();
        for (int i = 0; i < HaltSwitch.MaxHalts; i++)
        {
            await store.SetAsync(new Halt(new HaltScope($"s{i}"), "test", default), default);
        }

        Assert.That(async () => await store.SetAsync(new Halt(new HaltScope("more"), "test", default), default), Throws.InvalidOperationException.With.Message.Contains("1024 stops are in force"));
        await store.SetAsync(new Halt(new HaltScope("s7"), "again", default), default);
        Assert.That((await store.ReadAsync(default)).Halts.Single(halt => halt.Scope.Server == "s7").Reason, Is.EqualTo("again"));
    }

    private static async Task<HaltSwitch> Started()
    {
        var halts = new HaltSwitch(new InMemoryHaltStore(), new FakeTimeProvider());
        await halts.StartAsync(default);
        Assert.That(halts.Find("s", "t", "u"), Is.Null);
        return halts;
    }

    private static async Task Cancelled(CancellationToken token)
    {
        var done = new TaskCompletionSource();
        await using CancellationTokenRegistration registration = token.Register(() => done.TrySetResult());
        await done.Task.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.That(token.IsCancellationRequested, Is.True);
    }

    private sealed class BrokenStore : IHaltStore
    {
        private readonly InMemoryHaltStore _inner = new();
        private Action<HaltSnapshot>? _changed;

        public bool IsBroken { get; set; } = true;

        /// <summary>Takes stops and never shows them.</summary>
        public bool Forgets { get; init; }

        public int Subscriptions { get; private set; }

        public int Ended { get; private set; }

        public void Tell(IReadOnlyList<Halt> halts, long version = 100) => _changed!(new HaltSnapshot(version, halts));

        public ValueTask SetAsync(Halt halt, CancellationToken ct) => IsBroken ? throw new IOException("store") : Forgets ? default : _inner.SetAsync(halt, ct);

        public ValueTask<bool> ClearAsync(HaltScope scope, CancellationToken ct) => IsBroken ? throw new IOException("store") : _inner.ClearAsync(scope, ct);

        /// <summary>Run once, within the next read.</summary>
        public Func<Task>? Reading { get; set; }

        public async ValueTask<HaltSnapshot> ReadAsync(CancellationToken ct)
        {
            if (Reading is { } reading)
            {
                Reading = null;
                await reading();
            }

            return IsBroken ? throw new IOException("store") : await _inner.ReadAsync(ct);
        }

        public IDisposable Subscribe(Action<HaltSnapshot> changed)
        {
            _changed = changed;
            Subscriptions++;
            return new Subscription(() => Ended++);
        }

        private sealed class Subscription(Action end) : IDisposable
        {
            public void Dispose() => end();
        }
    }
}
