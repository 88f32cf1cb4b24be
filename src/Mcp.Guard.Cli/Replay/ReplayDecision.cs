namespace Mcp.Guard.Cli.Replay;

/// <summary>What a draft policy makes of a recorded call.</summary>
internal enum ReplayDecision
{
    /// <summary>The record does not hold what the draft looks at.</summary>
    Unknown = 0,

    /// <summary>It would be refused, whatever a person said.</summary>
    Deny,

    /// <summary>A person would be asked.</summary>
    Ask,

    /// <summary>It would leave without anybody being asked.</summary>
    Allow,
}
