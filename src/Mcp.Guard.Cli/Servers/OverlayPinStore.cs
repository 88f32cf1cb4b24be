using System.Collections.Concurrent;

namespace Mcp.Guard.Cli.Servers;

/// <summary>Pins that are read from a store and written to memory: a look at a server changes nothing that was pinned.</summary>
internal sealed class OverlayPinStore(IPinStore? under) : IPinStore
{
    private readonly ConcurrentDictionary<string, PinnedCatalog> _written = new(StringComparer.Ordinal);

    public async ValueTask<PinnedCatalog> ReadAsync(McpServerIdentity server, CancellationToken ct) =>
        _written.TryGetValue(server.ToString(), out PinnedCatalog? own) ? own
        : under is not null ? await under.ReadAsync(server, ct).ConfigureAwait(false)
        : new PinnedCatalog { Status = PinnedCatalogStatus.FirstSight };

    public async ValueTask<bool> TryWriteAsync(McpServerIdentity server, PinnedCatalog pins, CancellationToken ct)
    {
        PinnedCatalog now = await ReadAsync(server, ct).ConfigureAwait(false);
        if (now.Version != pins.Version)
        {
            return false;
        }

        _written[server.ToString()] = new PinnedCatalog
        {
            Status = pins.Status,
            Version = pins.Version + 1,
            InstructionsFingerprint = pins.InstructionsFingerprint,
            ToolsSeen = pins.ToolsSeen,
            Tools = pins.Tools,
        };
        return true;
    }
}
