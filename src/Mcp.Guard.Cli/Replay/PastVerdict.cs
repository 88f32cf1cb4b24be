namespace Mcp.Guard.Cli.Replay;

/// <summary>What became of a recorded call when it was made.</summary>
internal enum PastVerdict
{
    /// <summary>It was refused, and no person was asked.</summary>
    Denied = 0,

    /// <summary>A person was asked, or an earlier answer was used, whatever it was.</summary>
    Asked,

    /// <summary>It left without anybody being asked.</summary>
    Passed,
}
