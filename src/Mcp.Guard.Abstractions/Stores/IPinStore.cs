namespace Mcp.Guard;

/// <summary>Remembered tool definitions. In memory by default; with a policy file, a file beside the guard's own state.</summary>
public interface IPinStore
{
    /// <summary>Reads the pins of a server. Damage is a status, not an exception.</summary>
    /// <param name="server">The server.</param>
    /// <param name="ct">Cancels the wait.</param>
    ValueTask<PinnedCatalog> ReadAsync(McpServerIdentity server, CancellationToken ct);

    /// <summary>Writes the pins of a server where <see cref="PinnedCatalog.Version"/> is still the stored one, and raises the version by one.</summary>
    /// <param name="server">The server.</param>
    /// <param name="pins">What was read, changed.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>False where another writer was first: read again.</returns>
    ValueTask<bool> TryWriteAsync(McpServerIdentity server, PinnedCatalog pins, CancellationToken ct);
}
