namespace Mcp.Guard.Isolation;

/// <summary>Why a server is not started.</summary>
internal enum IsolationFault
{
    /// <summary>The policy asks for something contradictory or unsafe.</summary>
    InvalidOptions = 0,

    /// <summary>The mode's program or the kernel's feature is not there.</summary>
    ModeUnavailable,

    /// <summary>A control that the policy requires cannot be in force.</summary>
    ControlUnavailable,

    /// <summary>A folder to be bound does not exist, is not what it was when it was checked, or leads through a link a server can change.</summary>
    SourceRefused,

    /// <summary>The guard's own files would be within the server's reach.</summary>
    GuardFilesExposed,

    /// <summary>The program could not be started.</summary>
    StartFailed,
}
