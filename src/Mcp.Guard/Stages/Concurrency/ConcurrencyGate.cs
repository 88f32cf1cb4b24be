using System.Collections.Concurrent;
using Mcp.Guard.Audit;

namespace Mcp.Guard.Stages.Concurrency;

/// <summary>
/// Grants slots for calls: so many per server and so many per caller. Calls beyond that wait in a bounded queue per server. A slot that becomes free goes to
/// the servers in turn, and within a server to the first call whose caller has room, so that neither a server nor a caller can starve others. While no call
/// waits anywhere, slots are taken and freed without a lock that all callers share.
/// </summary>
/// <param name="limits">The limits of a server for which <paramref name="limitsOf"/> says nothing, and all waiting times.</param>
/// <param name="time">Time.</param>
/// <param name="limitsOf">The limits of a server, by its id; null is <paramref name="limits"/> for all.</param>
internal sealed class ConcurrencyGate(ConcurrencyLimits limits, TimeProvider time, Func<string, ConcurrencyLimits?>? limitsOf = null)
{
    /// <summary>A server with fewer slots may be full after one slow call; it is not ended for that.</summary>
    private const int MinBlocked = 8;

    /// <summary>Servers that are remembered although none of their slots is taken; they are those of the policy.</summary>
    private const int MaxIdleServers = 1_000;

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, ServerSlots> _servers = new(StringComparer.Ordinal);
    private readonly CallerSlots _callers = new();
    private readonly LinkedList<ServerSlots> _waitingServers = [];
    private int _serverCount;
    private int _waiting;

    /// <summary>Takes a slot.</summary>
    /// <param name="server">The server's id.</param>
    /// <param name="caller">The caller.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The lease, or null where the queue is full or the wait was too long: deny with <see cref="GuardDenialCodes.TooManyCalls"/>.</returns>
    public ValueTask<ConcurrencyLease?> AcquireAsync(string server, GuardCaller caller, CancellationToken ct)
    {
        if (ct.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ConcurrencyLease?>(ct);
        }

        ConcurrencyLimits own = LimitsOf(server);
        return Volatile.Read(ref _waiting) == 0 && _servers.TryGetValue(server, out ServerSlots? slots) && TryGrant(slots, caller, own) is { } lease
            ? new(lease)
            : QueueAsync(server, caller, own, ct);
    }

    /// <summary>The calls of a server that run, that wait, and that were abandoned but still hold a slot (these count among those that run).</summary>
    public (int Running, int Waiting, int Abandoned) CountOf(string server)
    {
        lock (_lock)
        {
            return _servers.TryGetValue(server, out ServerSlots? slots) ? (slots.Running, slots.Queue.Count, slots.Abandoned.Count) : default;
        }
    }

    /// <summary>Whether calls that were given up hold every slot of a server, and these are not few: nobody can use it, and nothing shows that it stopped.</summary>
    public bool IsBlocked(string server)
    {
        lock (_lock)
        {
            return _servers.TryGetValue(server, out ServerSlots? slots)
                && slots.Running >= Math.Max(LimitsOf(server).PerServer, MinBlocked)
                && slots.Abandoned.Count == slots.Running;
        }
    }

    internal void Abandon(ConcurrencyLease lease)
    {
        lock (_lock)
        {
            if (lease.TryAbandon())
            {
                lease.Slots.Abandoned.Add(lease);
                lease.Hold = time.CreateTimer(static state => ((ConcurrencyLease)state!).Dispose(), lease, limits.AbandonedHold, Timeout.InfiniteTimeSpan);
                GuardTelemetry.CountAbandoned(lease.Server, 1);
            }
        }
    }

    internal void Release(ConcurrencyLease lease)
    {
        switch (lease.End())
        {
            case ConcurrencyLeaseState.Running:
                Free(lease);
                break;
            case ConcurrencyLeaseState.Abandoned:
                lock (_lock)
                {
                    lease.Hold?.Dispose();
                    lease.Slots.Abandoned.Remove(lease);
                    Free(lease);
                    GuardTelemetry.CountAbandoned(lease.Server, -1);
                }

                break;
            default:
                return;
        }

        // A call that begins to wait says so before it looks for a slot a last time: either it finds this one, or it is found here.
        if (Volatile.Read(ref _waiting) > 0)
        {
            List<ConcurrencyWaiter> granted;
            lock (_lock)
            {
                granted = GrantWaiting();
            }

            Tell(granted);
        }
    }

    /// <summary>Under the lock: a slot where there is one after all calls that wait, or a place in the queue.</summary>
    private ValueTask<ConcurrencyLease?> QueueAsync(string server, GuardCaller caller, ConcurrencyLimits own, CancellationToken ct)
    {
        List<ConcurrencyWaiter> granted;
        ConcurrencyLease? lease;
        ConcurrencyWaiter? waiter = null;
        lock (_lock)
        {
            Interlocked.Increment(ref _waiting);
            granted = GrantWaiting();
            ServerSlots slots = SlotsOf(server);
            lease = TryGrant(slots, caller, own);
            if (lease is null && slots.Queue.Count < own.QueuePerServer && QueuedOf(slots, caller) < own.QueuePerCaller)
            {
                waiter = new ConcurrencyWaiter(slots, caller);
                waiter.Node = slots.Queue.AddLast(waiter);
                if (slots.Queue.Count == 1)
                {
                    _waitingServers.AddLast(slots.Node);
                }
            }
            else
            {
                Interlocked.Decrement(ref _waiting);
            }
        }

        Tell(granted);
        return waiter is null ? new(lease) : WaitAsync(waiter, ct);
    }

    private async ValueTask<ConcurrencyLease?> WaitAsync(ConcurrencyWaiter waiter, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(limits.MaxWait, time);
        await using CancellationTokenRegistration tooLong = limit.Token.Register(() => GiveUp(waiter, null));
        await using CancellationTokenRegistration cancelled = ct.Register(() => GiveUp(waiter, ct));
        return await waiter.Completion.Task;
    }

    private void GiveUp(ConcurrencyWaiter waiter, CancellationToken? ct)
    {
        lock (_lock)
        {
            if (waiter.Node?.List is not null)
            {
                Dequeue(waiter);
            }
        }

        if (ct is { } token)
        {
            waiter.Completion.TrySetCanceled(token);
        }
        else
        {
            waiter.Completion.TrySetResult(null);
        }
    }

    /// <summary>Called under the lock: gives free slots to the calls that wait.</summary>
    private List<ConcurrencyWaiter> GrantWaiting()
    {
        List<ConcurrencyWaiter> granted = [];
        while (NextWaiter() is { } waiter)
        {
            granted.Add(waiter);
        }

        return granted;
    }

    /// <summary>Outside the lock. Where the wait ended in the same moment, the lease goes back.</summary>
    private static void Tell(List<ConcurrencyWaiter> granted)
    {
        foreach (ConcurrencyWaiter waiter in granted)
        {
            if (!waiter.Completion.TrySetResult(waiter.Lease))
            {
                waiter.Lease!.Dispose();
            }
        }
    }

    /// <summary>Gives a slot to the next call that can run: servers in turn, first come first served within a server.</summary>
    private ConcurrencyWaiter? NextWaiter()
    {
        for (LinkedListNode<ServerSlots>? node = _waitingServers.First; node is not null; node = node.Next)
        {
            ServerSlots slots = node.Value;
            ConcurrencyLimits own = LimitsOf(slots.Server);
            if (slots.Running >= own.PerServer)
            {
                continue;
            }

            foreach (ConcurrencyWaiter waiter in slots.Queue)
            {
                if (TryGrant(slots, waiter.Caller, own) is { } lease)
                {
                    waiter.Lease = lease;
                    Dequeue(waiter);
                    if (node.List is not null)
                    {
                        _waitingServers.Remove(node);
                        _waitingServers.AddLast(node);
                    }

                    return waiter;
                }
            }
        }

        return null;
    }

    private void Dequeue(ConcurrencyWaiter waiter)
    {
        Interlocked.Decrement(ref _waiting);
        waiter.Slots.Queue.Remove(waiter.Node!);
        if (waiter.Slots.Queue.Count == 0)
        {
            _waitingServers.Remove(waiter.Slots.Node);
        }
    }

    private ConcurrencyLease? TryGrant(ServerSlots slots, GuardCaller caller, ConcurrencyLimits own) =>
        _callers.TryEnter(caller, own.PerCaller, slots, own.PerServer) ? new ConcurrencyLease(this, slots, caller) : null;

    private void Free(ConcurrencyLease lease)
    {
        _callers.Leave(lease.Caller);
        lease.Slots.Leave();
    }

    /// <summary>Called under the lock.</summary>
    private ServerSlots SlotsOf(string server)
    {
        if (_servers.TryGetValue(server, out ServerSlots? slots))
        {
            return slots;
        }

        if (_serverCount >= MaxIdleServers)
        {
            foreach (ServerSlots idle in _servers.Values)
            {
                if (idle.TryRetire())
                {
                    _servers.TryRemove(idle.Server, out _);
                    _serverCount--;
                }
            }
        }

        slots = new ServerSlots(server);
        _servers[server] = slots;
        _serverCount++;
        return slots;
    }

    private ConcurrencyLimits LimitsOf(string server) => limitsOf?.Invoke(server) ?? limits;

    private static int QueuedOf(ServerSlots slots, GuardCaller caller)
    {
        int count = 0;
        foreach (ConcurrencyWaiter waiter in slots.Queue)
        {
            count += SameUser.Instance.Equals(waiter.Caller, caller) ? 1 : 0;
        }

        return count;
    }
}
