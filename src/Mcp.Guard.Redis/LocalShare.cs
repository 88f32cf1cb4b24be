using Mcp.Guard.Stages.RateLimit;

namespace Mcp.Guard.Redis;

/// <summary>A part of every limit, counted in this process alone: what a host admits while the server cannot be asked.</summary>
internal sealed class LocalShare(TimeProvider time, double share)
{
    private readonly GcraLimiter _limiter = new(time);

    public RateLimitLease Acquire(ReadOnlySpan<RateLimitCharge> charges)
    {
        var scaled = new RateLimitCharge[charges.Length];
        for (int i = 0; i < scaled.Length; i++)
        {
            scaled[i] = Scale(charges[i]);
        }

        return _limiter.Acquire(scaled);
    }

    // A longer window in place of fewer permits, so that a share of less than one permit is still exact.
    private RateLimitCharge Scale(in RateLimitCharge charge)
    {
        long burst = Math.Max(1, (long)(charge.Burst * share));
        double ticks = Math.Ceiling(charge.Window.Ticks / share);
        return ticks <= GcraRate.MaxWindow.Ticks
            ? charge with { Window = TimeSpan.FromTicks((long)ticks), Burst = burst }
            : charge with { Permits = (long)(charge.Permits * share), Burst = burst };
    }
}
