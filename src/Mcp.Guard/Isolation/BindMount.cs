namespace Mcp.Guard.Isolation;

/// <summary>One file or folder of the host that a box shows.</summary>
/// <param name="Source">The path with every link resolved; what is opened at the start must still be this.</param>
/// <param name="Target">Where the server sees it.</param>
/// <param name="Writable">Whether the server may change it.</param>
/// <param name="IsFolder">Whether it is a folder.</param>
internal sealed record BindMount(string Source, string Target, bool Writable, bool IsFolder);
