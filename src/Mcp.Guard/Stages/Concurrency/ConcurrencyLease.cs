namespace Mcp.Guard.Stages.Concurrency;

/// <summary>The slot of one running call, at its server and of its caller.</summary>
internal sealed class ConcurrencyLease : IDisposable
{
    private readonly ConcurrencyGate _gate;

    public ConcurrencyLease(ConcurrencyGate gate, string server, GuardCaller caller)
    {
        _gate = gate;
        Server = server;
        Caller = caller;
    }

    public string Server { get; }

    public GuardCaller Caller { get; }

    /// <summary>Guarded by the gate's lock.</summary>
    public bool IsReleased { get; set; }

    /// <summary>Guarded by the gate's lock. Set while an abandoned call keeps its slot.</summary>
    public ITimer? Hold { get; set; }

    /// <summary>
    /// The caller no longer waits, but the server may still work: the slot stays taken until a late reply comes or the connection ends
    /// (<see cref="Dispose"/>), or the hold time is over, whichever is first. A server that obeys a cancellation sends no reply, hence the
    /// time; a server that does not obey cannot pile up work faster than its slots times the hold time.
    /// </summary>
    public void Abandon() => _gate.Abandon(this);

    /// <summary>The call ended: the slot is free. More than once does nothing.</summary>
    public void Dispose() => _gate.Release(this);
}
