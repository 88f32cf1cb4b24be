namespace Mcp.Guard.Policy;

/// <summary>What a finding of the sanitiser leads to. A larger value is stricter.</summary>
internal enum FlagAction
{
    /// <summary>It is recorded.</summary>
    Report = 0,

    /// <summary>A person is asked.</summary>
    Ask = 1,

    /// <summary>The text is refused.</summary>
    Deny = 2,
}
