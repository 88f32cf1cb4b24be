namespace Mcp.Guard.Stages.Concurrency;

/// <summary>The calls of one server: how many run, which wait, and which were given up and may still run.</summary>
internal sealed class ServerSlots
{
    private const int Retired = int.MinValue;

    private int _running;

    public ServerSlots(string server)
    {
        Server = server;
        Node = new LinkedListNode<ServerSlots>(this);
    }

    public string Server { get; }

    /// <summary>Calls that hold a slot.</summary>
    public int Running => Math.Max(0, Volatile.Read(ref _running));

    /// <summary>Its place among the servers that calls wait for. Guarded by the gate's lock.</summary>
    public LinkedListNode<ServerSlots> Node { get; }

    /// <summary>Guarded by the gate's lock.</summary>
    public LinkedList<ConcurrencyWaiter> Queue { get; } = [];

    /// <summary>Guarded by the gate's lock.</summary>
    public HashSet<ConcurrencyLease> Abandoned { get; } = [];

    /// <summary>Takes a slot where fewer than so many are taken; never where these slots were retired.</summary>
    public bool TryEnter(int limit)
    {
        int running = Volatile.Read(ref _running);
        while (running >= 0 && running < limit)
        {
            int seen = Interlocked.CompareExchange(ref _running, running + 1, running);
            if (seen == running)
            {
                return true;
            }

            running = seen;
        }

        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _running);

    /// <summary>Makes them unusable where none is taken, for good: who still holds them looks the server up again.</summary>
    public bool TryRetire() => Queue.Count == 0 && Interlocked.CompareExchange(ref _running, Retired, 0) == 0;
}
