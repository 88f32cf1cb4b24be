namespace Mcp.Guard;

/// <summary>
/// Receives every record. The required sink must have taken an intent before the call leaves: when it throws, the call is denied with
/// <see cref="GuardDenialCodes.AuditUnavailable"/>.
/// </summary>
public interface IAuditSink
{
    /// <summary>Takes one record. It returns when the record is as durable as the sink promises. Records may arrive in parallel. It must not block: wait asynchronously.</summary>
    /// <param name="record">The record; already redacted and bounded.</param>
    /// <param name="ct">Cancels the wait, not the writing.</param>
    ValueTask WriteAsync(AuditRecord record, CancellationToken ct);
}
