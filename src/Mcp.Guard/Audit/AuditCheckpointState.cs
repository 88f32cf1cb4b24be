namespace Mcp.Guard;

/// <summary>How a log agrees with the checkpoint that it was compared with.</summary>
public enum AuditCheckpointState
{
    /// <summary>None was given.</summary>
    NotGiven = 0,

    /// <summary>The record that the checkpoint names is there with the same hash.</summary>
    Matched = 1,

    /// <summary>The log ends before the record that the checkpoint names: it was cut or rolled back.</summary>
    LogIsShorter = 2,

    /// <summary>The record that the checkpoint names has another hash, or the log another id: it was made anew.</summary>
    LogDiffers = 3,

    /// <summary>The checkpoint is not signed with the key that was given.</summary>
    NotAuthentic = 4,

    /// <summary>Retention has deleted the record that the checkpoint names; it proves nothing any more.</summary>
    TooOld = 5,

    /// <summary>The walk stopped before it could be compared.</summary>
    NotReached = 6,
}
