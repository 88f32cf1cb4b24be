namespace Mcp.Guard;

/// <summary>The kinds of state that hosts can share.</summary>
[Flags]
public enum RedisGuardStores
{
    /// <summary>Nothing; refused.</summary>
    None = 0,

    /// <summary>Rate limits.</summary>
    RateLimits = 1,

    /// <summary>Remembered consents and refusals.</summary>
    Consents = 2,

    /// <summary>Pinned tool definitions.</summary>
    Pins = 4,

    /// <summary>What sessions have spent.</summary>
    Budgets = 8,

    /// <summary>Stops.</summary>
    Halts = 16,

    /// <summary>All of them.</summary>
    All = RateLimits | Consents | Pins | Budgets | Halts,
}
