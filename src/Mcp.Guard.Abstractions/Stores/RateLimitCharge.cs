namespace Mcp.Guard;

/// <summary>One limit that a call must pass: at most <paramref name="Permits"/> in <paramref name="Window"/>, and at most <paramref name="Burst"/> at once.</summary>
/// <param name="Key">Whom or what is counted.</param>
/// <param name="Permits">Permits per window: 0 (denies everything) to 1,000,000 a second.</param>
/// <param name="Window">More than zero, at most one day.</param>
/// <param name="Burst">Permits that may be used at once after a pause: 1 or more; by default the same as <paramref name="Permits"/>.</param>
public readonly record struct RateLimitCharge(RateLimitKey Key, long Permits, TimeSpan Window, long Burst);
