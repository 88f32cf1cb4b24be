namespace Mcp.Guard.Policy;

/// <summary>One file or folder of the guard's own.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="IsDirectory">A folder is protected with all that is in it; a file against every root that holds it or the folder it lies in.</param>
/// <param name="Purpose">What it is, for messages: "the policy file".</param>
internal sealed record ProtectedPath(string Path, bool IsDirectory, string Purpose);
