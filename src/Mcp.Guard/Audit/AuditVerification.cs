namespace Mcp.Guard;

/// <summary>What a verification found, and where.</summary>
public sealed class AuditVerification
{
    /// <summary>The verdict.</summary>
    public required AuditVerdict Verdict { get; init; }

    /// <summary>One sentence that says what was found.</summary>
    public required string Message { get; init; }

    /// <summary>How many records are in order, up to the first bad one.</summary>
    public long Records { get; init; }

    /// <summary>How many segments were read.</summary>
    public int Segments { get; init; }

    /// <summary>The number of the first record at hand; 0 where there is none.</summary>
    public long FirstSequence { get; init; }

    /// <summary>The number of the last record in order; 0 where there is none.</summary>
    public long LastSequence { get; init; }

    /// <summary>The hash of that record.</summary>
    public string? Head { get; init; }

    /// <summary>The log's id, as its header says.</summary>
    public string? LogId { get; init; }

    /// <summary>The file with the first bad or incomplete record; null where there is none.</summary>
    public string? BadFile { get; init; }

    /// <summary>The line of that record in its file, from 1; 0 where there is none.</summary>
    public long BadLine { get; init; }

    /// <summary>Where that line begins in its file, in bytes.</summary>
    public long BadOffset { get; init; }

    /// <summary>How the log agrees with the checkpoint.</summary>
    public AuditCheckpointState Checkpoint { get; init; }

    /// <summary>How often the time of a record is before that of the record in front of it. Order is by number; this is no fault.</summary>
    public long ClockSteps { get; init; }

    /// <summary>How many times the log was found damaged when it was opened, as it says itself.</summary>
    public long DamageRecords { get; init; }
}
