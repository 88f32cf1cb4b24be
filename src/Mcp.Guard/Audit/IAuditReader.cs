namespace Mcp.Guard;

/// <summary>Reads an audit log.</summary>
public interface IAuditReader
{
    /// <summary>The entries that a query selects, in the order of their numbers. It shows what is in the files and proves nothing: <see cref="AuditVerifier"/> does.</summary>
    /// <param name="query">What to select.</param>
    /// <param name="ct">Ends the reading.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    IAsyncEnumerable<AuditEntry> ReadAsync(AuditQuery query, CancellationToken ct = default);
}
