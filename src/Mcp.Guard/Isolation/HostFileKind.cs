namespace Mcp.Guard.Isolation;

/// <summary>What a path leads to.</summary>
internal enum HostFileKind
{
    /// <summary>A socket, pipe or device: never bound into a box.</summary>
    Special = 0,

    File,

    Folder,
}
