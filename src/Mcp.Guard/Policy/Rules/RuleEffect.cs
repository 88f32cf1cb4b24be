namespace Mcp.Guard.Policy;

/// <summary>What the rules say about one call. A smaller value is stricter, except that <see cref="None"/> is no word at all.</summary>
internal enum RuleEffect
{
    /// <summary>It is denied.</summary>
    Deny = 0,

    /// <summary>A person is asked.</summary>
    Ask = 1,

    /// <summary>It passes the rules.</summary>
    Allow = 2,

    /// <summary>No rule matched: the policy's defaults decide.</summary>
    None = 3,
}
