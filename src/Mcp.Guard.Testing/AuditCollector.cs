using System.Collections.Concurrent;

namespace Mcp.Guard.Testing;

/// <summary>Keeps every audit record in memory; can be told to fail.</summary>
public sealed class AuditCollector : IAuditSink
{
    private readonly ConcurrentQueue<AuditRecord> _records = new();

    /// <summary>The records, in the order of arrival.</summary>
    public IReadOnlyCollection<AuditRecord> Records => _records;

    /// <summary>Called before a record is kept; an exception from it is what a failing sink throws.</summary>
    public Func<AuditRecord, CancellationToken, ValueTask>? Before { get; set; }

    /// <summary>The records of one kind.</summary>
    /// <param name="kind">The kind.</param>
    public IReadOnlyList<AuditRecord> OfKind(AuditKind kind) => [.. _records.Where(record => record.Kind == kind)];

    /// <inheritdoc/>
    public async ValueTask WriteAsync(AuditRecord record, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (Before is { } before)
        {
            await before(record, ct).ConfigureAwait(false);
        }

        _records.Enqueue(record);
    }
}
