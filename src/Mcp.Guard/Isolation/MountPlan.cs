namespace Mcp.Guard.Isolation;

/// <summary>What of the host a box shows, outer folders before inner ones, and which folders in it are covered by empty ones.</summary>
internal sealed record MountPlan(IReadOnlyList<BindMount> Mounts, IReadOnlyList<string> Masks);
