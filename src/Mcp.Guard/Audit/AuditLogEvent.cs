namespace Mcp.Guard.Audit;

/// <summary>What a record of the log about itself tells. Only the log's own writer makes these.</summary>
internal enum AuditLogEvent
{
    /// <summary>The record is not about the log.</summary>
    None = 0,

    /// <summary>The first record of a segment; names the one before.</summary>
    Segment = 1,

    /// <summary>The log was opened.</summary>
    Opened = 2,

    /// <summary>The log was closed in order.</summary>
    Closed = 3,

    /// <summary>A torn tail was set aside at start.</summary>
    Recovered = 4,

    /// <summary>At start a segment was found that does not verify.</summary>
    Damaged = 5,

    /// <summary>A call whose intent has no outcome: it may have happened.</summary>
    OpenIntent = 6,

    /// <summary>An intent was written after its call had been refused: the call did not leave.</summary>
    IntentWithdrawn = 7,

    /// <summary>A segment's time is over and it is being deleted.</summary>
    Retention = 8,

    /// <summary>Writing works again after failures; tells how many records were refused or lost.</summary>
    Resumed = 9,
}
