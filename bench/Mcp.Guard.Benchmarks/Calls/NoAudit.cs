namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>Takes records and keeps none.</summary>
internal sealed class NoAudit : IAuditSink
{
    public ValueTask WriteAsync(AuditRecord record, CancellationToken ct) => default;
}
