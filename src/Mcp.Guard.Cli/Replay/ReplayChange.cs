namespace Mcp.Guard.Cli.Replay;

/// <summary>How the fate of a recorded call changes, the worst first.</summary>
internal enum ReplayChange
{
    /// <summary>It was denied or asked about, and would leave without anybody being asked.</summary>
    NewlyPasses = 0,

    /// <summary>It was denied or asked about, and the record does not say enough to rule out that it would leave.</summary>
    MayNewlyPass,

    /// <summary>It was denied, and a person would be asked.</summary>
    NewlyAskedInsteadOfDenied,

    /// <summary>It left, and it cannot be said whether it still would.</summary>
    CannotBeJudged,

    /// <summary>It left, and a person would be asked.</summary>
    NewlyAsked,

    /// <summary>It left or was asked about, and would be denied.</summary>
    NewlyDenied,

    /// <summary>As before.</summary>
    Same,
}
