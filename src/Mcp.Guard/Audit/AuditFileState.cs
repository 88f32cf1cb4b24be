namespace Mcp.Guard.Audit;

/// <summary>The states of the audit files.</summary>
internal enum AuditFileState
{
    /// <summary>Nothing can be written: not opened, failing or closed. Calls are denied.</summary>
    Unavailable = 0,

    /// <summary>Records are written.</summary>
    Healthy = 1,

    /// <summary>Records are written, and something wants a look: damage found at start, records dropped, checkpoints not kept.</summary>
    Degraded = 2,
}
