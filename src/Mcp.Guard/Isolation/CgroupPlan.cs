namespace Mcp.Guard.Isolation;

/// <summary>A cgroup (version 2) that the guard makes for one server, and what it writes into it.</summary>
/// <param name="Folder">Absolute path of the cgroup.</param>
/// <param name="Settings">Interface file and value, in the order they are written.</param>
internal sealed record CgroupPlan(string Folder, IReadOnlyList<KeyValuePair<string, string>> Settings);
