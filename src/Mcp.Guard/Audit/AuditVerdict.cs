namespace Mcp.Guard;

/// <summary>What a verification found.</summary>
public enum AuditVerdict
{
    /// <summary>A record is wrong, missing, added or out of order, or the log does not agree with its checkpoint.</summary>
    Tampered = 0,

    /// <summary>Every record is in order.</summary>
    Valid = 1,

    /// <summary>
    /// Every record is in order, and after the last one lies an incomplete one: what a crash leaves, and what the log's next start sets aside. Who cuts a
    /// log by hand can leave the same; only a checkpoint tells the two apart.
    /// </summary>
    Torn = 2,

    /// <summary>There is no record at all.</summary>
    Empty = 3,

    /// <summary>It cannot be said: the key is missing, or a file cannot be read.</summary>
    Unverifiable = 4,
}
