namespace Mcp.Guard.Audit;

/// <summary>One sink of several.</summary>
/// <param name="Name">For messages and health.</param>
/// <param name="Sink">The sink.</param>
/// <param name="IsRequired">True where a call is denied when this sink fails; false where the sink may fail, lag and lose records.</param>
internal sealed record AuditFanOutEntry(string Name, IAuditSink Sink, bool IsRequired);
