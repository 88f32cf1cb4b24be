namespace Mcp.Guard.Stages.Roots;

/// <summary>One valid root, compiled.</summary>
internal sealed class RootEntry(GuardRoot source, string spelled, string resolved)
{
    /// <summary>The root as the policy gives it.</summary>
    public GuardRoot Source { get; } = source;

    /// <summary>Absolute and dot-free, as the policy spells it.</summary>
    public string Spelled { get; } = spelled;

    /// <summary>
    /// The same with its links resolved when the policy was read. Only paths that resolve below this are allowed: a root that is later
    /// replaced by a link to elsewhere opens nothing.
    /// </summary>
    public string Resolved { get; } = resolved;
}
