namespace Mcp.Guard;

/// <summary>What a root permits.</summary>
public enum RootAccess
{
    /// <summary>Reading only: tools that are not read-only by policy may not touch it.</summary>
    Read = 0,

    /// <summary>Reading and writing.</summary>
    ReadWrite = 1,
}
