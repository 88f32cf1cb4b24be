using System.Runtime.InteropServices;
using Mcp.Guard.Audit;

namespace Mcp.Guard.Stages.Concurrency;

/// <summary>
/// Grants slots for calls: so many per server and so many per caller. Calls beyond that wait in a bounded queue per server. A slot that becomes free goes to
/// the servers in turn, and within a server to the first call whose caller has room, so that neither a server nor a caller can starve others.
/// </summary>
/// <param name="limits">The limits of a server for which <paramref name="limitsOf"/> says nothing, and all waiting times.</param>
/// <param name="time">Time.</param>
/// <param name="limitsOf">The limits of a server, by its id; null is <paramref name="limits"/> for all.</param>
internal sealed class ConcurrencyGate(ConcurrencyLimits limits, TimeProvider time, Func<string, ConcurrencyLimits?>? limitsOf = null)
{
    /// <summary>A server with fewer slots may be full after one slow call; it is not ended for that.</summary>
    private const int MinBlocked = 8;

    /// <summary>Servers whose empty places are kept for their next call; they are those of the policy.</summary>
    private const int MaxIdleServers = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ServerSlots> _servers = new(StringComparer.Ordinal);
    private readonly Dictionary<GuardCaller, int> _runningPerCaller = new(SameUser.Instance);
    private readonly LinkedList<ServerSlots> _waitingServers = [];

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
        Waiter waiter;
        lock (_lock)
        {
            ref ServerSlots? slots = ref CollectionsMarshal.GetValueRefOrAddDefault(_servers, server, out _);
            slots ??= new ServerSlots(server);

            // A call never overtakes one that waits and could run.
            if (slots.Running < own.PerServer && RunningOf(caller) < own.PerCaller)
            {
                return new(Grant(slots, caller));
            }

            if (slots.Queue.Count >= own.QueuePerServer || QueuedOf(slots, caller) >= own.QueuePerCaller)
            {
                RemoveIfIdle(slots);
                return new((ConcurrencyLease?)null);
            }

            waiter = new Waiter(slots, caller);
            waiter.Node = slots.Queue.AddLast(waiter);
            if (slots.Queue.Count == 1)
            {
                _waitingServers.AddLast(slots.Node);
            }
        }

        return WaitAsync(waiter, ct);
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
            if (!lease.IsReleased && lease.Hold is null && _servers[lease.Server].Abandoned.Add(lease))
            {
                GuardTelemetry.CountAbandoned(lease.Server, 1);
                lease.Hold = time.CreateTimer(static state => ((ConcurrencyLease)state!).Dispose(), lease, limits.AbandonedHold, Timeout.InfiniteTimeSpan);
            }
        }
    }

    internal void Release(ConcurrencyLease lease)
    {
        List<Waiter>? granted = null;
        lock (_lock)
        {
            if (lease.IsReleased)
            {
                return;
            }

            lease.IsReleased = true;
            lease.Hold?.Dispose();
            ServerSlots slots = _servers[lease.Server];
            slots.Running--;
            if (slots.Abandoned.Remove(lease))
            {
                GuardTelemetry.CountAbandoned(lease.Server, -1);
            }

            ref int running = ref CollectionsMarshal.GetValueRefOrNullRef(_runningPerCaller, lease.Caller);
            if (--running == 0)
            {
                _runningPerCaller.Remove(lease.Caller);
            }

            while (NextWaiter() is { } waiter)
            {
                waiter.Lease = Grant(waiter.Slots, waiter.Caller);
                (granted ??= []).Add(waiter);
            }

            RemoveIfIdle(slots);
        }

        if (granted is not null)
        {
            foreach (Waiter waiter in granted)
            {
                // Outside the lock. Where the wait ended in the same moment, the lease goes back.
                if (!waiter.Completion.TrySetResult(waiter.Lease))
                {
                    waiter.Lease!.Dispose();
                }
            }
        }
    }

    private async ValueTask<ConcurrencyLease?> WaitAsync(Waiter waiter, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(limits.MaxWait, time);
        await using CancellationTokenRegistration tooLong = limit.Token.Register(() => GiveUp(waiter, null));
        await using CancellationTokenRegistration cancelled = ct.Register(() => GiveUp(waiter, ct));
        return await waiter.Completion.Task;
    }

    private void GiveUp(Waiter waiter, CancellationToken? ct)
    {
        lock (_lock)
        {
            if (waiter.Node?.List is not null)
            {
                Dequeue(waiter);
                RemoveIfIdle(waiter.Slots);
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

    /// <summary>Takes the next call that can run from the queues: servers in turn, first come first served within a server.</summary>
    private Waiter? NextWaiter()
    {
        for (LinkedListNode<ServerSlots>? node = _waitingServers.First; node is not null; node = node.Next)
        {
            ServerSlots slots = node.Value;
            ConcurrencyLimits own = LimitsOf(slots.Server);
            if (slots.Running >= own.PerServer)
            {
                continue;
            }

            foreach (Waiter waiter in slots.Queue)
            {
                if (RunningOf(waiter.Caller) < own.PerCaller)
                {
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

    private void Dequeue(Waiter waiter)
    {
        waiter.Slots.Queue.Remove(waiter.Node!);
        if (waiter.Slots.Queue.Count == 0)
        {
            _waitingServers.Remove(waiter.Slots.Node);
        }
    }

    private ConcurrencyLease Grant(ServerSlots slots, GuardCaller caller)
    {
        slots.Running++;
        CollectionsMarshal.GetValueRefOrAddDefault(_runningPerCaller, caller, out _)++;
        return new ConcurrencyLease(this, slots.Server, caller);
    }

    private void RemoveIfIdle(ServerSlots slots)
    {
        if (slots.Running == 0 && slots.Queue.Count == 0 && _servers.Count > MaxIdleServers)
        {
            _servers.Remove(slots.Server);
        }
    }

    private ConcurrencyLimits LimitsOf(string server) => limitsOf?.Invoke(server) ?? limits;

    private int RunningOf(GuardCaller caller) => _runningPerCaller.GetValueOrDefault(caller);

    private static int QueuedOf(ServerSlots slots, GuardCaller caller)
    {
        int count = 0;
        foreach (Waiter waiter in slots.Queue)
        {
            count += SameUser.Instance.Equals(waiter.Caller, caller) ? 1 : 0;
        }

        return count;
    }

    private sealed class ServerSlots
    {
        public ServerSlots(string server)
        {
            Server = server;
            Node = new LinkedListNode<ServerSlots>(this);
        }

        public string Server { get; }

        public LinkedListNode<ServerSlots> Node { get; }

        public int Running { get; set; }

        public LinkedList<Waiter> Queue { get; } = [];

        public HashSet<ConcurrencyLease> Abandoned { get; } = [];
    }

    private sealed class Waiter(ServerSlots slots, GuardCaller caller)
    {
        public ServerSlots Slots { get; } = slots;

        public GuardCaller Caller { get; } = caller;

        public LinkedListNode<Waiter>? Node { get; set; }

        public ConcurrencyLease? Lease { get; set; }

        public TaskCompletionSource<ConcurrencyLease?> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
