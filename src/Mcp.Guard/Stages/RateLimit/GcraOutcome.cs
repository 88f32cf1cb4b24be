namespace Mcp.Guard.Stages.RateLimit;

/// <summary>What one key's state says about one call.</summary>
internal enum GcraOutcome
{
    /// <summary>Over the limit; nothing was charged.</summary>
    Denied = 0,

    /// <summary>Within the limit.</summary>
    Admitted,

    /// <summary>The cell no longer counts: look the key up again, through <see cref="GcraLimiter"/>.</summary>
    Retired,
}
