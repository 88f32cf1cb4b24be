namespace Mcp.Guard;

/// <summary>A folder that a server's calls may reach.</summary>
/// <param name="Path">Absolute path.</param>
/// <param name="Access">What it permits.</param>
public sealed record GuardRoot(string Path, RootAccess Access = RootAccess.ReadWrite);
