namespace Mcp.Guard.Stages.RateLimit;

/// <summary>
/// Time since the clock was made, in whole steps of 100 ns, from the monotonic timestamp: a wall clock that is set back or forward has no effect.
/// </summary>
internal sealed class MonotonicClock
{
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly long _frequency;

    public MonotonicClock(TimeProvider time)
    {
        _time = time;
        _frequency = time.TimestampFrequency;
        _start = time.GetTimestamp();
    }

    /// <summary>Steps of 100 ns, rounded down; never negative, even where the timestamps of a faulty source go back.</summary>
    public long Now
    {
        get
        {
            long elapsed = Math.Max(0, _time.GetTimestamp() - _start);
            return _frequency switch
            {
                1_000_000_000 => elapsed / 100,
                TimeSpan.TicksPerSecond => elapsed,
                _ => (long)UInt128.Min((UInt128)(ulong)elapsed * TimeSpan.TicksPerSecond / (ulong)_frequency, long.MaxValue),
            };
        }
    }
}
