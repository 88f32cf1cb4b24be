namespace Mcp.Guard.Audit;

/// <summary>How a segment ends, as a walk found it.</summary>
internal enum AuditSegmentState
{
    /// <summary>A record is wrong.</summary>
    Tampered = 0,

    /// <summary>Every record is in order, to the last byte.</summary>
    Whole = 1,

    /// <summary>Every record is in order; after the last one there is a piece of another, as a crash leaves it.</summary>
    Torn = 2,
}
