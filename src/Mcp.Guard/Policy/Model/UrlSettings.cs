namespace Mcp.Guard.Policy;

/// <summary>Which URLs the arguments of a call may hold.</summary>
/// <param name="Lists">A URL must be permitted by every list: one for each rule that matched.</param>
internal sealed record UrlSettings(IReadOnlyList<UrlAllowlist> Lists)
{
    /// <summary>Two rules that both match: both lists must permit.</summary>
    public UrlSettings Stricter(UrlSettings other) => new([.. Lists, .. other.Lists]);
}
