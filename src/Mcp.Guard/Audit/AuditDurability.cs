namespace Mcp.Guard;

/// <summary>What the audit files promise before a call may leave.</summary>
public enum AuditDurability
{
    /// <summary>The record was handed to the operating system: it survives the end of the process, not a loss of power. The default.</summary>
    Flushed = 0,

    /// <summary>The record was synchronised to the storage device. Callers that wait together share one synchronisation.</summary>
    Durable = 1,

    /// <summary>
    /// The caller does not wait, and a call is made even where its record is lost. Lost records are counted, shown in the health and told in the log.
    /// </summary>
    BestEffort = 2,
}
