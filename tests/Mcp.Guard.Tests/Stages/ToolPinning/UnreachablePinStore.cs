namespace Mcp.Guard.Tests.Stages.ToolPinning;

/// <summary>A store that cannot be reached.</summary>
internal sealed class UnreachablePinStore : IPinStore
{
    public ValueTask<PinnedCatalog> ReadAsync(McpServerIdentity server, CancellationToken ct) => new(new PinnedCatalog { Status = PinnedCatalogStatus.Unavailable });

    public ValueTask<bool> TryWriteAsync(McpServerIdentity server, PinnedCatalog pins, CancellationToken ct) => new(false);
}
