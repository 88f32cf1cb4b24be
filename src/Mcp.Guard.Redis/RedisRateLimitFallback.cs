namespace Mcp.Guard;

/// <summary>What rate limits do while Redis cannot be asked.</summary>
public enum RedisRateLimitFallback
{
    /// <summary>Every call that a limit covers is denied.</summary>
    Deny = 0,

    /// <summary>Each host admits <see cref="RedisGuardOptions.LocalShare"/> of each limit by a count of its own.</summary>
    Local = 1,
}
