namespace Mcp.Guard.Policy;

/// <summary>What happens to a result that is larger than permitted.</summary>
internal enum ResultOverflow
{
    /// <summary>It is refused.</summary>
    Deny = 0,

    /// <summary>It is cut, with a notice.</summary>
    Cut = 1,
}
