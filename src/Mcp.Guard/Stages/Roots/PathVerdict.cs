namespace Mcp.Guard.Stages.Roots;

/// <summary>What <see cref="RootSet"/> says of one path. An uninitialised value (<c>default</c>) denies.</summary>
internal readonly struct PathVerdict
{
    private PathVerdict(bool allowed, string? normalized, RootEntry? root, PathDenial denial)
    {
        IsAllowed = allowed;
        Normalized = normalized;
        Root = root;
        Denial = denial;
    }

    public bool IsAllowed { get; }

    /// <summary>The absolute path without dots, links of its existing part resolved; null where denied.</summary>
    public string? Normalized { get; }

    /// <summary>The innermost root that holds the path; null where denied.</summary>
    public RootEntry? Root { get; }

    /// <summary>Why it is denied; without meaning where allowed.</summary>
    public PathDenial Denial { get; }

    /// <summary>The denial code, or null where allowed.</summary>
    public string? Code => IsAllowed ? null : GuardDenialCodes.PathOutsideRoots;

    /// <summary>The reason for the audit; empty where allowed. It holds nothing of the input.</summary>
    public string Message => IsAllowed ? string.Empty : PathDenials.Describe(Denial);

    /// <summary>The same for a call that can write: denied where the root permits reading only.</summary>
    public PathVerdict ForWriting() => IsAllowed && Root!.Source.Access != RootAccess.ReadWrite ? Deny(PathDenial.ReadOnlyRoot) : this;

    public static PathVerdict Allow(string normalized, RootEntry root) => new(true, normalized, root, PathDenial.NotJudged);

    public static PathVerdict Deny(PathDenial denial) => new(false, null, null, denial);
}
