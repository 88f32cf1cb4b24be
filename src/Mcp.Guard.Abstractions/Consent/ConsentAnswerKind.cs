namespace Mcp.Guard;

/// <summary>What the person chose. The value 0, and every value not listed here, denies.</summary>
public enum ConsentAnswerKind
{
    /// <summary>Not this call.</summary>
    Deny = 0,

    /// <summary>This one call.</summary>
    AllowOnce = 1,

    /// <summary>This tool with exactly these arguments, until the answer's expiry.</summary>
    AllowTheseArguments = 2,

    /// <summary>This tool with any arguments that pass the policy, until the answer's expiry.</summary>
    AllowTool = 3,

    /// <summary>Never this tool, for this caller: kept, and no longer asked.</summary>
    Never = 4,
}
