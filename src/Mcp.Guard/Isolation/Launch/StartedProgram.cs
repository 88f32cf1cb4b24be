namespace Mcp.Guard.Isolation.Launch;

/// <summary>What the launcher hands to <see cref="ServerProcess"/>.</summary>
/// <param name="Child">The started program.</param>
/// <param name="Jail">The box's first process, where it can be held.</param>
/// <param name="FirstProcess">Id of the box's first process; null where there is no box.</param>
/// <param name="PrivateFolder">The folder to remove afterwards.</param>
internal sealed record StartedProgram(ChildProcess Child, JailHandle? Jail, int? FirstProcess, string? PrivateFolder);
