using System.Collections.Concurrent;

namespace Mcp.Guard.Hosting;

/// <summary>The connected transports of one guard.</summary>
internal sealed class ConnectionRegistry
{
    private readonly ConcurrentDictionary<GuardedTransport, byte> _open = new();

    public int Count => _open.Count;

    public void Add(GuardedTransport transport) => _open[transport] = 0;

    public void Remove(GuardedTransport transport) => _open.TryRemove(transport, out _);

    /// <summary>Ends every running call that a stop covers.</summary>
    public void Halt(Halt halt)
    {
        foreach (GuardedTransport transport in _open.Keys)
        {
            transport.EndCovered(halt);
        }
    }
}
