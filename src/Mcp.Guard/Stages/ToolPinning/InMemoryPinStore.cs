namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>Pins of this process.</summary>
internal sealed class InMemoryPinStore : IPinStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<McpServerIdentity, PinnedCatalog> _pins = [];

    public ValueTask<PinnedCatalog> ReadAsync(McpServerIdentity server, CancellationToken ct)
    {
        lock (_gate)
        {
            return new(_pins.TryGetValue(server, out PinnedCatalog? pins) ? pins : new PinnedCatalog { Status = PinnedCatalogStatus.FirstSight });
        }
    }

    public ValueTask<bool> TryWriteAsync(McpServerIdentity server, PinnedCatalog pins, CancellationToken ct)
    {
        lock (_gate)
        {
            long stored = _pins.TryGetValue(server, out PinnedCatalog? known) ? known.Version : 0;
            if (stored != pins.Version)
            {
                return new(false);
            }

            _pins[server] = new PinnedCatalog
            {
                Status = PinnedCatalogStatus.Known,
                Version = stored + 1,
                InstructionsFingerprint = pins.InstructionsFingerprint,
                Tools = pins.Tools,
            };
            return new(true);
        }
    }
}
