namespace Mcp.Guard.Audit;

/// <summary>What lies under a name, links not followed.</summary>
internal enum FileNodeKind
{
    /// <summary>A folder, pipe, socket or device, or nothing that could be told.</summary>
    Other = 0,

    /// <summary>Nothing.</summary>
    Missing,

    /// <summary>A regular file.</summary>
    RegularFile,

    /// <summary>A symbolic link.</summary>
    Link,
}
