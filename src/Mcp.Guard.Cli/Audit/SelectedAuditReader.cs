using System.Runtime.CompilerServices;

namespace Mcp.Guard.Cli.Audit;

/// <summary>A log without the entries that a selection leaves out.</summary>
internal sealed class SelectedAuditReader(IAuditReader log, AuditSelection selection) : IAuditReader
{
    public async IAsyncEnumerable<AuditEntry> ReadAsync(AuditQuery query, [EnumeratorCancellation] CancellationToken ct = default)
    {
        await foreach (AuditEntry entry in log.ReadAsync(query, ct).ConfigureAwait(false))
        {
            if (selection.Includes(entry))
            {
                yield return entry;
            }
        }
    }
}
