namespace Mcp.Guard.Policy;

/// <summary>Whom or what a rate limit counts apart. None: one count for everything the limit covers.</summary>
[Flags]
internal enum RateLimitScope
{
    /// <summary>One count for all.</summary>
    None = 0,

    /// <summary>Each caller: the user, or the connection where the host names no user.</summary>
    Caller = 1,

    /// <summary>Each session of a caller.</summary>
    Session = 2,

    /// <summary>Each server.</summary>
    Server = 4,

    /// <summary>Each tool.</summary>
    Tool = 8,
}
