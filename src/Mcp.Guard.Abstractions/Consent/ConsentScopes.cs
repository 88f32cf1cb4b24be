namespace Mcp.Guard;

/// <summary>The answers that a prompt may offer beyond "no". An answer that was not offered denies.</summary>
[Flags]
public enum ConsentScopes
{
    /// <summary>Only "no".</summary>
    None = 0,

    /// <summary>This one call.</summary>
    Once = 1,

    /// <summary>These exact arguments.</summary>
    TheseArguments = 2,

    /// <summary>This tool.</summary>
    Tool = 4,

    /// <summary>A standing "no".</summary>
    Never = 8,
}
