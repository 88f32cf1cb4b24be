namespace Mcp.Guard.Stages.Roots;

/// <summary>What lies at a path, as far as links matter.</summary>
internal enum LinkStatus
{
    /// <summary>It cannot be told: no permission, a fault, a target that is no text.</summary>
    Unreadable = 0,

    /// <summary>Nothing lies there, or nothing can: a file stands where a folder would have to be.</summary>
    Missing,

    /// <summary>Something that is no link.</summary>
    NotALink,

    /// <summary>A symbolic link, on Windows also a junction or a mount point.</summary>
    Link,
}
