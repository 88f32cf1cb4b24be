namespace Mcp.Guard.Isolation.Launch;

/// <summary>What the launcher hands to <see cref="ServerProcess"/>.</summary>
internal sealed record StartedProgram(ChildProcess Child, JailHandle? Jail, string? PrivateFolder);
