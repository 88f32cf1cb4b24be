namespace Mcp.Guard.Policy;

/// <summary>At most <paramref name="Permits"/> calls in <paramref name="Window"/>, <paramref name="Burst"/> of them at once.</summary>
/// <param name="Id">Names the limit, so that two limits over the same keys never share a count.</param>
/// <param name="Permits">0 denies every call.</param>
/// <param name="Window">More than zero, at most one day.</param>
/// <param name="Burst">1 or more.</param>
/// <param name="By">Whom or what it counts apart.</param>
internal sealed record RateLimitSetting(string Id, long Permits, TimeSpan Window, long Burst, RateLimitScope By);
