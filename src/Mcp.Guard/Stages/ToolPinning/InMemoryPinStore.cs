using System.Collections.Concurrent;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>Remembers tool definitions for the life of the process; each start is a first sight.</summary>
internal sealed class InMemoryPinStore : IPinStore
{
    private static readonly PinnedCatalog Unseen = new() { Status = PinnedCatalogStatus.FirstSight };

    private readonly ConcurrentDictionary<McpServerIdentity, PinnedCatalog> _catalogs = new();

    public ValueTask<PinnedCatalog> ReadAsync(McpServerIdentity server, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(server);
        ct.ThrowIfCancellationRequested();
        return new(_catalogs.TryGetValue(server, out PinnedCatalog? catalog) ? catalog : Unseen);
    }

    public ValueTask<bool> TryWriteAsync(McpServerIdentity server, PinnedCatalog pins, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(pins);
        ct.ThrowIfCancellationRequested();
        PinnedCatalog next = PinSnapshot.Next(pins);
        return new(_catalogs.TryGetValue(server, out PinnedCatalog? stored)
            ? stored.Version == pins.Version && _catalogs.TryUpdate(server, next, stored)
            : pins.Version == 0 && _catalogs.TryAdd(server, next));
    }
}
