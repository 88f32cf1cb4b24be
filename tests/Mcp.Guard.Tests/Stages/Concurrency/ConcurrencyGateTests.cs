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

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }

    private static GuardCaller Caller(int i) => new($"user {i}", "session");
}
