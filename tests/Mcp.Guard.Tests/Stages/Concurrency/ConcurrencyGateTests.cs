using Mcp.Guard.Stages.Concurrency;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.Concurrency;

[TestFixture]
internal sealed class ConcurrencyGateTests
{
    private static readonly ConcurrencyLimits Limits = new() { PerServer = 2, PerCaller = 3, QueuePerServer = 4, QueuePerCaller = 2, MaxWait = TimeSpan.FromSeconds(10) };

    [Test]
    public async Task Acquire_OneUserInManySessions_GetsTheSlotsOfOneCaller()
    {
        var gate = new ConcurrencyGate(new ConcurrencyLimits { PerServer = 8, PerCaller = 2, QueuePerServer = 4, QueuePerCaller = 1 }, TimeProvider.System);
        for (int session = 0; session < 2; session++)
        {
            Assert.That(await gate.AcquireAsync("a", new GuardCaller("ada", $"s{session}"), default), Is.Not.Null);
        }

        Task<ConcurrencyLease?> waits = gate.AcquireAsync("a", new GuardCaller("ada", "s2"), default).AsTask();
        Assert.That(waits.IsCompleted, Is.False);
        Assert.That(await gate.AcquireAsync("a", new GuardCaller("ada", "s3"), default), Is.Null, "and of its queue");
        Assert.That(await gate.AcquireAsync("a", new GuardCaller("bob", "s0"), default), Is.Not.Null);
        foreach (string connection in (string[])["c1", "c2", "c3"])
        {
            Assert.That(await gate.AcquireAsync("a", GuardCaller.ForConnection(connection), default), Is.Not.Null, "connections are apart");
        }
    }

    [Test]
    public async Task Acquire_ServerAndQueueFull_DeniesAtOnce()
    {
        var gate = new ConcurrencyGate(Limits, new FakeTimeProvider());
        Assert.That(await gate.AcquireAsync("a", Caller(1), default), Is.Not.Null);
        Assert.That(await gate.AcquireAsync("a", Caller(2), default), Is.Not.Null);
        Task<ConcurrencyLease?>[] waiting = [.. Enumerable.Range(3, 4).Select(i => gate.AcquireAsync("a", Caller(i), default).AsTask())];
        Assert.That(waiting.Any(w => w.IsCompleted), Is.False);
        Task<ConcurrencyLease?> denied = gate.AcquireAsync("a", Caller(9), default).AsTask();
        Assert.That(denied.IsCompleted, Is.True);
        Assert.That(await denied, Is.Null);
        Assert.That(gate.CountOf("a"), Is.EqualTo((2, 4, 0)));
    }

    /// <summary>A call that finds its server full must not stand in the way of another of its caller, not even for a moment.</summary>
    [Test]
    public async Task Acquire_ParallelCallToAFullServer_NeverDeniesAnotherOfItsCaller()
    {
        var gate = new ConcurrencyGate(Limits with { PerServer = 1, PerCaller = 1, QueuePerServer = 0, QueuePerCaller = 0 }, new FakeTimeProvider());
        Assert.That(await gate.AcquireAsync("full", Caller(1), default), Is.Not.Null);
        bool ended = false;
        var refused = Task.Run(async () =>
        {
            int granted = 0;
            while (!Volatile.Read(ref ended))
            {
                granted += await gate.AcquireAsync("full", Caller(2), default) is null ? 0 : 1;
            }

            return granted;
        });
        int denied = 0;
        for (int i = 0; i < 20_000; i++)
        {
            ConcurrencyLease? lease = await gate.AcquireAsync("free", Caller(2), default);
            denied += lease is null ? 1 : 0;
            lease?.Dispose();
        }

        Volatile.Write(ref ended, true);
        Assert.That(await refused, Is.Zero);
        Assert.That(denied, Is.Zero);
    }

    [Test]
    public async Task Acquire_OneCallerFillsItsShareOfTheQueue_OthersStillFindRoom()
    {
        var gate = new ConcurrencyGate(Limits, new FakeTimeProvider());
        await gate.AcquireAsync("a", Caller(1), default);
        await gate.AcquireAsync("a", Caller(1), default);
        _ = gate.AcquireAsync("a", Caller(1), default).AsTask();
        _ = gate.AcquireAsync("a", Caller(1), default).AsTask();
        Assert.That(await gate.AcquireAsync("a", Caller(1), default), Is.Null);
        Assert.That(gate.AcquireAsync("a", Caller(2), default).AsTask().IsCompleted, Is.False);
    }

    [Test]
    public async Task Release_SlotsOfACaller_GoToTheWaitingServersInTurn()
    {
        var gate = new ConcurrencyGate(Limits with { PerServer = 10, PerCaller = 1, QueuePerCaller = 4 }, new FakeTimeProvider());
        ConcurrencyLease running = (await gate.AcquireAsync("flood", Caller(1), default))!;
        var order = new List<string>();
        Task<ConcurrencyLease?>[] waiting = [.. new[] { "flood", "flood", "flood", "quiet" }.Select(server => gate.AcquireAsync(server, Caller(1), default).AsTask())];
        for (int i = 0; i < 4; i++)
        {
            running.Dispose();
            running = (await await Task.WhenAny(waiting))!;
            waiting = [.. waiting.Where(w => !w.IsCompleted)];
            order.Add(running.Server);
        }

        Assert.That(order, Is.EqualTo((string[])["flood", "quiet", "flood", "flood"]));
        running.Dispose();
        Assert.That(gate.CountOf("flood"), Is.EqualTo((0, 0, 0)));
    }

    [Test]
    public async Task Acquire_OtherServerWhileOneIsFlooded_IsGrantedAtOnce()
    {
        var gate = new ConcurrencyGate(Limits, new FakeTimeProvider());
        for (int i = 0; i < 20; i++)
        {
            _ = gate.AcquireAsync("flood", Caller(i), default).AsTask();
        }

        Assert.That(gate.AcquireAsync("quiet", Caller(30), default).AsTask().IsCompletedSuccessfully, Is.True);
        await Task.CompletedTask;
    }

    [Test]
    public async Task Acquire_WaitTooLongOrCancelled_LeavesTheQueue()
    {
        var time = new FakeTimeProvider();
        var gate = new ConcurrencyGate(Limits with { PerServer = 1 }, time);
        ConcurrencyLease running = (await gate.AcquireAsync("a", Caller(1), default))!;
        Task<ConcurrencyLease?> patient = gate.AcquireAsync("a", Caller(2), default).AsTask();
        using var cancel = new CancellationTokenSource();
        Task<ConcurrencyLease?> cancelled = gate.AcquireAsync("a", Caller(3), cancel.Token).AsTask();
        await cancel.CancelAsync();
        Assert.That(async () => await cancelled, Throws.InstanceOf<OperationCanceledException>());
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.That(await patient, Is.Null);
        Assert.That(gate.CountOf("a"), Is.EqualTo((1, 0, 0)));
        running.Dispose();
        Assert.That(gate.CountOf("a"), Is.EqualTo((0, 0, 0)));
        Assert.That(await gate.AcquireAsync("a", Caller(2), default), Is.Not.Null);
    }

    [Test]
    public async Task Abandon_Call_KeepsItsSlotUntilLateReplyEndOfServerOrHoldTime()
    {
        var time = new FakeTimeProvider();
        var gate = new ConcurrencyGate(Limits with { PerServer = 3, QueuePerServer = 0 }, time);
        ConcurrencyLease[] leases = [(await gate.AcquireAsync("a", Caller(1), default))!, (await gate.AcquireAsync("a", Caller(2), default))!, (await gate.AcquireAsync("a", Caller(3), default))!];
        Array.ForEach(leases, lease => lease.Abandon());
        Assert.That(gate.CountOf("a"), Is.EqualTo((3, 0, 3)));
        Assert.That(await gate.AcquireAsync("a", Caller(4), default), Is.Null, "an abandoned call may still run at the server");

        leases[0].Dispose();
        Assert.That(gate.CountOf("a"), Is.EqualTo((2, 0, 2)), "a late reply frees it");
        time.Advance(Limits.AbandonedHold - TimeSpan.FromMilliseconds(1));
        Assert.That(gate.CountOf("a").Abandoned, Is.EqualTo(2));
        ConcurrencyLease later = (await gate.AcquireAsync("a", Caller(4), default))!;
        later.Abandon();
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(gate.CountOf("a"), Is.EqualTo((1, 0, 1)), "the hold time frees the first two");
        later.Dispose();
        Assert.That(gate.CountOf("a"), Is.EqualTo((0, 0, 0)));
        Array.ForEach(leases, lease => lease.Dispose());
        Assert.That(gate.CountOf("a"), Is.EqualTo((0, 0, 0)), "a lease is released once");
    }

    [Test]
    public async Task Acquire_ParallelCallers_NeverExceedsTheLimitsAndFreesAll()
    {
        var gate = new ConcurrencyGate(new ConcurrencyLimits { PerServer = 4, PerCaller = 2, QueuePerServer = 1000, QueuePerCaller = 1000, MaxWait = TimeSpan.FromMinutes(5) }, TimeProvider.System);
        int[] running = new int[8];
        int most = 0;
        await Task.WhenAll(Enumerable.Range(0, 400).Select(i => Task.Run(async () =>
        {
            using ConcurrencyLease lease = (await gate.AcquireAsync("a", Caller(i % 8), default))!;
            int mine = Interlocked.Increment(ref running[i % 8]);
            int all = running.Sum();
            InterlockedMax(ref most, Math.Max(mine > 2 ? 100 : 0, all));
            await Task.Yield();
            Interlocked.Decrement(ref running[i % 8]);
        })));
        Assert.That(most, Is.InRange(1, 4));
        Assert.That(gate.CountOf("a"), Is.EqualTo((0, 0, 0)));
    }

    /// <summary>Slots are taken without a lock while nobody waits: a call that begins to wait while another ends must not be forgotten.</summary>
    [Test]
    public async Task Acquire_ManyServersAndCallersAtTheirLimits_NobodyIsForgottenAndNoLimitIsPassed()
    {
        var gate = new ConcurrencyGate(new ConcurrencyLimits { PerServer = 2, PerCaller = 1, QueuePerServer = 100, QueuePerCaller = 100, MaxWait = TimeSpan.FromMinutes(5) }, TimeProvider.System);
        string[] servers = ["a", "b", "c"];
        int[] atServer = new int[3];
        int[] ofCaller = new int[4];
        int over = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                int server = (worker + i) % 3;
                int caller = ((worker * 7) + i) % 4;
                using ConcurrencyLease lease = (await gate.AcquireAsync(servers[server], Caller(caller), default))!;
                if (Interlocked.Increment(ref atServer[server]) > 2 | Interlocked.Increment(ref ofCaller[caller]) > 1)
                {
                    Interlocked.Increment(ref over);
                }

                if (i % 3 == 0)
                {
                    await Task.Yield();
                }

                Interlocked.Decrement(ref atServer[server]);
                Interlocked.Decrement(ref ofCaller[caller]);
            }
        }))).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Multiple(() =>
        {
            Assert.That(over, Is.Zero);
            Assert.That(servers.Select(gate.CountOf), Has.All.EqualTo((0, 0, 0)));
        });
    }

    [Test]
    public async Task Acquire_MoreServersThanAreRemembered_CountsOfBusyOnesStay()
    {
        var gate = new ConcurrencyGate(Limits, new FakeTimeProvider());
        ConcurrencyLease busy = (await gate.AcquireAsync("busy", Caller(0), default))!;
        for (int i = 0; i < 2_500; i++)
        {
            (await gate.AcquireAsync($"server {i}", Caller(1), default))!.Dispose();
        }

        Assert.That(gate.CountOf("busy"), Is.EqualTo((1, 0, 0)));
        Assert.That(gate.CountOf("server 0"), Is.EqualTo((0, 0, 0)));
        Assert.That(await gate.AcquireAsync("server 0", Caller(1), default), Is.Not.Null, "what was forgotten is made anew");
        busy.Dispose();
        Assert.That(gate.CountOf("busy"), Is.EqualTo((0, 0, 0)));
    }

    [TestCase(8)]
    [TestCase(12)]
    public async Task IsBlocked_EverySlotHeldByACallThatWasGivenUp_FromEightOn(int slots)
    {
        var gate = new ConcurrencyGate(new ConcurrencyLimits { PerServer = 100, PerCaller = 100, QueuePerServer = 0 }, new FakeTimeProvider(), _ => new ConcurrencyLimits { PerServer = slots, PerCaller = 100 });
        Assert.That(gate.IsBlocked("a"), Is.False);
        var leases = new List<ConcurrencyLease>();
        for (int i = 0; i < slots; i++)
        {
            Assert.That(gate.IsBlocked("a"), Is.False, $"with {i}");
            leases.Add((await gate.AcquireAsync("a", Caller(i), default))!);
            leases[^1].Abandon();
        }

        Assert.That(gate.IsBlocked("a"), Is.True);
        Assert.That(gate.IsBlocked("b"), Is.False);
        leases[0].Dispose();
        Assert.That(gate.IsBlocked("a"), Is.False, "one is free");
        ConcurrencyLease running = (await gate.AcquireAsync("a", Caller(0), default))!;
        Assert.That(gate.IsBlocked("a"), Is.False, "one runs");
        running.Abandon();
        Assert.That(gate.IsBlocked("a"), Is.True);
    }

    // A server with fewer slots may be full after one slow call.
    [Test]
    public async Task IsBlocked_FewSlots_Never()
    {
        var gate = new ConcurrencyGate(Limits with { PerServer = 7, PerCaller = 7 }, new FakeTimeProvider());
        for (int i = 0; i < 7; i++)
        {
            (await gate.AcquireAsync("a", Caller(i), default))!.Abandon();
        }

        Assert.That(gate.IsBlocked("a"), Is.False);
    }

    [Test]
    public async Task Acquire_ServerWithLimitsOfItsOwn_HasThoseAndTheOthersTheCommonOnes()
    {
        var gate = new ConcurrencyGate(Limits with { QueuePerServer = 0 }, new FakeTimeProvider(), server => server == "own" ? Limits with { PerServer = 1, QueuePerServer = 0 } : null);
        Assert.That(await gate.AcquireAsync("own", Caller(1), default), Is.Not.Null);
        Assert.That(await gate.AcquireAsync("own", Caller(2), default), Is.Null);
        Assert.That(await gate.AcquireAsync("other", Caller(3), default), Is.Not.Null);
        Assert.That(await gate.AcquireAsync("other", Caller(4), default), Is.Not.Null);
        Assert.That(await gate.AcquireAsync("other", Caller(5), default), Is.Null);
    }

    [Test]
    public void Acquire_CallerHasCancelled_TakesNoSlot()
    {
        var gate = new ConcurrencyGate(Limits, new FakeTimeProvider());
        Assert.That(async () => await gate.AcquireAsync("a", Caller(1), new CancellationToken(true)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(gate.CountOf("a"), Is.EqualTo((0, 0, 0)));
    }

    // A free slot of a caller goes to a call that waits elsewhere, past those that still cannot run.
    [Test]
    public async Task Release_FirstInTheQueueCannotRun_TheNextThatCanDoes()
    {
        var gate = new ConcurrencyGate(Limits with { PerServer = 2, PerCaller = 1 }, new FakeTimeProvider());
        ConcurrencyLease one = (await gate.AcquireAsync("a", Caller(1), default))!;
        ConcurrencyLease two = (await gate.AcquireAsync("a", Caller(2), default))!;
        Task<ConcurrencyLease?> again = gate.AcquireAsync("a", Caller(1), default).AsTask();
        Task<ConcurrencyLease?> third = gate.AcquireAsync("a", Caller(3), default).AsTask();
        two.Dispose();
        Assert.That((await third)!.Caller, Is.EqualTo(Caller(3)));
        Assert.That(again.IsCompleted, Is.False);
        one.Dispose();
        Assert.That(await again, Is.Not.Null);
    }

    // What is counted as waiting decides whether slots are taken past the queue: a slot must not be given to two ways of asking.
    [Test]
    public async Task Acquire_AfterEveryWayOutOfTheQueue_LimitsHoldAsBefore()
    {
        var time = new FakeTimeProvider();
        var gate = new ConcurrencyGate(Limits with { PerServer = 1, QueuePerServer = 2, QueuePerCaller = 1 }, time);
        for (int round = 0; round < 3; round++)
        {
            ConcurrencyLease running = (await gate.AcquireAsync("a", Caller(1), default))!;
            Task<ConcurrencyLease?> first = gate.AcquireAsync("a", Caller(2), default).AsTask();
            using var cancel = new CancellationTokenSource();
            Task<ConcurrencyLease?> second = gate.AcquireAsync("a", Caller(3), cancel.Token).AsTask();
            Assert.That(await gate.AcquireAsync("a", Caller(4), default), Is.Null, "the queue is full");
            await cancel.CancelAsync();
            Assert.That(async () => await second, Throws.InstanceOf<OperationCanceledException>());
            Task<ConcurrencyLease?> tired = gate.AcquireAsync("a", Caller(5), default).AsTask();
            running.Dispose();
            ConcurrencyLease granted = (await first)!;
            time.Advance(TimeSpan.FromSeconds(10));
            Assert.That(await tired, Is.Null);
            granted.Dispose();
            Assert.That(gate.CountOf("a"), Is.EqualTo((0, 0, 0)));
        }
    }

    [Test]
    public async Task Abandon_LeaseThatIsFreeAgain_ChangesNothing()
    {
        var time = new FakeTimeProvider();
        var gate = new ConcurrencyGate(Limits with { PerServer = 1, QueuePerServer = 0 }, time);
        ConcurrencyLease lease = (await gate.AcquireAsync("a", Caller(1), default))!;
        lease.Dispose();
        lease.Abandon();
        Assert.That(gate.CountOf("a"), Is.EqualTo((0, 0, 0)));
        ConcurrencyLease held = (await gate.AcquireAsync("a", Caller(1), default))!;
        held.Abandon();
        held.Abandon();
        Assert.That(gate.CountOf("a"), Is.EqualTo((1, 0, 1)));
        held.Dispose();
        ConcurrencyLease next = (await gate.AcquireAsync("a", Caller(1), default))!;
        time.Advance(Limits.AbandonedHold * 2);
        Assert.That(gate.CountOf("a"), Is.EqualTo((1, 0, 0)), "the time of a lease that ended frees nobody else's slot");
        next.Dispose();
    }

    // The number that operators see goes up with a call that is given up, and down when its slot is free, per server.
    [Test]
    public async Task Abandon_AndItsEnd_AreOnTheMeter()
    {
        var changes = new List<(long Change, object? Server)>();
        using var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            {
                if (instrument.Name == "mcp.guard.calls.abandoned")
                {
                    all.EnableMeasurementEvents(instrument);
                }
            },
        };
        string server = $"server {Guid.NewGuid():N}";
        void Note(long change, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.Length == 1 && Equals(tags[0].Value, server))
            {
                changes.Add((change, tags[0].Key));
            }
        }

        listener.SetMeasurementEventCallback<int>((_, change, tags, _) => Note(change, tags));
        listener.SetMeasurementEventCallback<long>((_, change, tags, _) => Note(change, tags));
        listener.Start();
        var gate = new ConcurrencyGate(Limits, new FakeTimeProvider());
        ConcurrencyLease lease = (await gate.AcquireAsync(server, Caller(1), default))!;
        lease.Abandon();
        Assert.That(changes, Is.EqualTo(new (long, object?)[] { (1, "mcp.guard.server") }));
        lease.Dispose();
        Assert.That(changes.Select(change => change.Change), Is.EqualTo((long[])[1, -1]));
    }

    [Test]
    public void SameUser_NullsAndKinds_AreApart()
    {
        var comparer = SameUser.Instance;
        GuardCaller ada = new("ada", "s1");
        GuardCaller connection = GuardCaller.ForConnection("c1");
        Assert.Multiple(() =>
        {
            Assert.That(comparer.Equals(null, null), Is.True);
            Assert.That(comparer.Equals(ada, null), Is.False);
            Assert.That(comparer.Equals(null, ada), Is.False);
            Assert.That(comparer.Equals(ada, new GuardCaller("ada", "s2")), Is.True);
            Assert.That(comparer.Equals(ada, new GuardCaller("bob", "s1")), Is.False);
            Assert.That(comparer.Equals(connection, GuardCaller.ForConnection("c1")), Is.True);
            Assert.That(comparer.Equals(connection, GuardCaller.ForConnection("c2")), Is.False);
            Assert.That(comparer.Equals(connection, new GuardCaller(connection.UserId, "c1")), Is.False, "a user who calls himself so is not the connection");
            Assert.That(comparer.GetHashCode(ada!), Is.EqualTo(comparer.GetHashCode(new GuardCaller("ada", "s2"))));
        });
    }

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }

    private static GuardCaller Caller(int i) => new($"user {i}", "session");
}
