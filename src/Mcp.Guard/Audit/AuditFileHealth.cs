namespace Mcp.Guard.Audit;

/// <summary>How the audit files do, at one moment.</summary>
/// <param name="State">The state in one word.</param>
/// <param name="Message">One sentence for people.</param>
/// <param name="Written">Records written since the start.</param>
/// <param name="Refused">Records whose callers were told that they were not written.</param>
/// <param name="Dropped">Records lost in best effort.</param>
/// <param name="CheckpointFailures">Checkpoints that could not be kept.</param>
/// <param name="OpenAtStart">Calls that the last run left without an outcome.</param>
internal sealed record AuditFileHealth(
    AuditFileState State, string Message, long Written, long Refused, long Dropped, long CheckpointFailures, int OpenAtStart);
