namespace Mcp.Guard.Policy;

/// <summary>What must have happened to a record before the call goes on.</summary>
internal enum AuditDurability
{
    /// <summary>Handed to the operating system.</summary>
    Flushed = 0,

    /// <summary>On the disk.</summary>
    Durable = 1,

    /// <summary>Queued; what is lost is counted.</summary>
    BestEffort = 2,
}
