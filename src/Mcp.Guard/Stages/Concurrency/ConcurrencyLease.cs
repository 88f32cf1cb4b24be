namespace Mcp.Guard.Stages.Concurrency;

/// <summary>The slot of one running call, at its server and of its caller.</summary>
internal sealed class ConcurrencyLease(ConcurrencyGate gate, ServerSlots slots, GuardCaller caller) : IDisposable
{
    private ConcurrencyLeaseState _state;

    public string Server => slots.Server;

    public ServerSlots Slots => slots;

    public GuardCaller Caller => caller;

    /// <summary>Guarded by the gate's lock. Set while an abandoned call keeps its slot.</summary>
    public ITimer? Hold { get; set; }

    /// <summary>
    /// The caller no longer waits, but the server may still work: the slot stays taken until a late reply comes or the connection ends
    /// (<see cref="Dispose"/>), or the hold time is over, whichever is first. A server that obeys a cancellation sends no reply, hence the
    /// time; a server that does not obey cannot pile up work faster than its slots times the hold time.
    /// </summary>
    public void Abandon() => gate.Abandon(this);

    /// <summary>The call ended: the slot is free. More than once does nothing.</summary>
    public void Dispose() => gate.Release(this);

    /// <summary>False where it was abandoned or released before.</summary>
    public bool TryAbandon() =>
        Interlocked.CompareExchange(ref _state, ConcurrencyLeaseState.Abandoned, ConcurrencyLeaseState.Running) == ConcurrencyLeaseState.Running;

    /// <summary>Ends it, and says what it was until now: released where it had ended before.</summary>
    public ConcurrencyLeaseState End() => Interlocked.Exchange(ref _state, ConcurrencyLeaseState.Released);
}
