namespace Mcp.Guard;

/// <summary>The stops in force. In memory by default; a shared store brings a stop to all hosts.</summary>
public interface IHaltStore
{
    /// <summary>Sets a stop; setting the same scope again replaces its reason.</summary>
    /// <param name="halt">The stop.</param>
    /// <param name="ct">Cancels the wait.</param>
    ValueTask SetAsync(Halt halt, CancellationToken ct);

    /// <summary>Ends a stop.</summary>
    /// <param name="scope">Exactly the scope that was set.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>Whether it was set.</returns>
    ValueTask<bool> ClearAsync(HaltScope scope, CancellationToken ct);

    /// <summary>
    /// All stops in force, not older than anything this store had set or cleared when the read began. Read at start; a failure denies everything until a
    /// read succeeds.
    /// </summary>
    /// <param name="ct">Cancels the wait.</param>
    ValueTask<HaltSnapshot> ReadAsync(CancellationToken ct);

    /// <summary>Calls back with all stops in force whenever another host changes them. The in-memory store never does.</summary>
    /// <param name="changed">Receives the whole list. Lists may arrive out of order; an older one is passed over by its version.</param>
    /// <returns>Ends the subscription when disposed.</returns>
    IDisposable Subscribe(Action<HaltSnapshot> changed);
}
