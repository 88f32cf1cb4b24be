namespace Mcp.Guard.Stages.Concurrency;

/// <summary>A call that waits for a slot.</summary>
internal sealed class ConcurrencyWaiter(ServerSlots slots, GuardCaller caller)
{
    public ServerSlots Slots { get; } = slots;

    public GuardCaller Caller { get; } = caller;

    /// <summary>Its place in the queue. Guarded by the gate's lock.</summary>
    public LinkedListNode<ConcurrencyWaiter>? Node { get; set; }

    /// <summary>The slot that it was given. Guarded by the gate's lock until it is told.</summary>
    public ConcurrencyLease? Lease { get; set; }

    public TaskCompletionSource<ConcurrencyLease?> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
