namespace Mcp.Guard.State;

/// <summary>What was found where a state file should be. The default value is the one that is trusted least.</summary>
internal enum StateFileStatus
{
    /// <summary>There is a file, and it cannot be used.</summary>
    Damaged = 0,

    /// <summary>There was a file, and it is gone.</summary>
    Lost,

    /// <summary>There never was a file.</summary>
    Missing,

    /// <summary>The file is as it was written.</summary>
    Sound,
}
