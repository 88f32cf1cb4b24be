using System.Collections.Concurrent;

namespace Mcp.Guard.Hosting;

/// <summary>The connected transports of one guard.</summary>
internal sealed class ConnectionRegistry
{
    private readonly ConcurrentDictionary<GuardedTransport, byte> _open = new();

    public int Count => _open.Count;

    public IReadOnlyCollection<GuardedTransport> All => [.. _open.Keys];

    public void Add(GuardedTransport transport) => _open[transport] = 0;

    public void Remove(GuardedTransport transport) => _open.TryRemove(transport, out _);

    /// <summary>Makes every connection to a server list its tools anew.</summary>
    public void RefreshTools(McpServerIdentity server)
    {
        foreach (GuardedTransport transport in _open.Keys)
        {
            if (transport.State.Server.Equals(server))
            {
                transport.State.RefreshTools();
            }
        }
    }

    /// <summary>Ends every running call that a stop covers.</summary>
    public void Halt(Halt halt)
    {
        foreach (GuardedTransport transport in _open.Keys)
        {
            transport.EndCovered(halt);
        }
    }
}
