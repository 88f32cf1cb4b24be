namespace Mcp.Guard.Tests.Audit;

/// <summary>A sink that does what a test says.</summary>
internal sealed class DelegateSink(Func<AuditRecord, CancellationToken, ValueTask> write) : IAuditSink
{
    public ValueTask WriteAsync(AuditRecord record, CancellationToken ct) => write(record, ct);
}
