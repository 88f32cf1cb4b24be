namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>What <see cref="UrlAllowlist"/> says of a URL. An uninitialised value (<c>default</c>) denies.</summary>
internal readonly struct UrlVerdict
{
    private UrlVerdict(UrlPattern? pattern, UrlDenial denial)
    {
        Pattern = pattern;
        Denial = denial;
    }

    public bool IsAllowed => Pattern is not null;

    /// <summary>The entry that allows it; null where denied.</summary>
    public UrlPattern? Pattern { get; }

    /// <summary>Why it is denied; without meaning where allowed.</summary>
    public UrlDenial Denial { get; }

    /// <summary>The denial code, or null where allowed.</summary>
    public string? Code => IsAllowed ? null : GuardDenialCodes.UrlNotAllowed;

    /// <summary>The reason for the audit; empty where allowed.</summary>
    public string Message => IsAllowed ? string.Empty : UrlDenials.Describe(Denial);

    public static UrlVerdict Allow(UrlPattern pattern) => new(pattern, UrlDenial.NotJudged);

    public static UrlVerdict Deny(UrlDenial denial) => new(null, denial);
}
