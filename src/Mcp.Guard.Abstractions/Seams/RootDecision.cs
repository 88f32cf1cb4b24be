namespace Mcp.Guard;

/// <summary>Whether a path may be reached. An uninitialised value (<c>default</c>) denies.</summary>
public readonly struct RootDecision
{
    private readonly string? _reason;

    private RootDecision(bool allowed, string? normalizedPath, GuardRoot? root, string? reason)
    {
        IsAllowed = allowed;
        NormalizedPath = normalizedPath;
        Root = root;
        _reason = reason;
    }

    /// <summary>True where the path is a root or lies below one, in every plausible reading.</summary>
    public bool IsAllowed { get; }

    /// <summary>The absolute path without dots, links of its existing part resolved; null where denied.</summary>
    public string? NormalizedPath { get; }

    /// <summary>The root that holds it; null where denied.</summary>
    public GuardRoot? Root { get; }

    /// <summary>Why it was denied, for the audit; empty where allowed.</summary>
    public string Reason => IsAllowed ? string.Empty : _reason ?? "the path was not judged";

    /// <summary>The path may be reached.</summary>
    /// <param name="normalizedPath">The normalised absolute path.</param>
    /// <param name="root">The root that holds it.</param>
    public static RootDecision Allow(string normalizedPath, GuardRoot root)
    {
        ArgumentException.ThrowIfNullOrEmpty(normalizedPath);
        ArgumentNullException.ThrowIfNull(root);
        return new(true, normalizedPath, root, null);
    }

    /// <summary>The path may not be reached.</summary>
    /// <param name="reason">Why.</param>
    public static RootDecision Deny(string reason) => new(false, null, null, reason);
}
