namespace Mcp.Guard.Stages.RateLimit;

/// <summary>
/// One rate in the whole numbers that the generic cell rate algorithm (ITU-T I.371) needs. Time is counted in units so small that one permit is worth a
/// whole number of them: 3 permits a second are 10,000,000 units each, at 3 units for 100 ns. No rounding adds up, so the rate is exact over any time.
/// </summary>
/// <remarks>
/// Where burst times window has more than 60 bits in such units, the clock of this one rate is read in coarser steps (a power of two times 100 ns) and the
/// interval is rounded up: then a permit may come later than its exact moment by at most a step, and never earlier.
/// </remarks>
internal sealed class GcraRate
{
    /// <summary>The longest window.</summary>
    public static readonly TimeSpan MaxWindow = TimeSpan.FromDays(1);

    /// <summary>The largest burst: as many permits as the fastest rate has in the longest window.</summary>
    public const long MaxBurst = 1_000_000L * 24 * 60 * 60;

    private const int WordBits = 60;

    private GcraRate(long permits, TimeSpan window, long burst)
    {
        Permits = permits;
        Window = window;
        Burst = burst;
        long divisor = GreatestCommonDivisor(permits, window.Ticks);
        UnitsPerStep = permits / divisor;
        long interval = window.Ticks / divisor;
        int shift = 0;
        while ((UInt128)(ulong)burst * (ulong)(((interval - 1) >> shift) + 1) >> WordBits != 0)
        {
            shift++;
        }

        StepShift = shift;
        Interval = ((interval - 1) >> shift) + 1;
        Tolerance = (burst - 1) * Interval;
        Horizon = (1L << WordBits) / UnitsPerStep;
    }

    /// <summary>Permits per window: 1 or more.</summary>
    public long Permits { get; }

    /// <summary>The window.</summary>
    public TimeSpan Window { get; }

    /// <summary>Permits at once after a pause.</summary>
    public long Burst { get; }

    /// <summary>Units that pass in one step of the clock.</summary>
    public long UnitsPerStep { get; }

    /// <summary>A step is 2 to this power times 100 ns; 0 for all but extreme rates.</summary>
    public int StepShift { get; }

    /// <summary>What one permit costs, in units.</summary>
    public long Interval { get; }

    /// <summary>How far the theoretical arrival time may lie ahead of the clock for a call to be admitted, in units: burst - 1 intervals.</summary>
    public long Tolerance { get; }

    /// <summary>The number of steps after which a word must be counted from a new base, so that it never overflows.</summary>
    public long Horizon { get; }

    /// <summary>Whether a rate is one that can be counted exactly: the policy reader asks this for every limit.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public static string? Validate(long permits, TimeSpan window, long burst)
    {
        if (window <= TimeSpan.Zero || window > MaxWindow)
        {
            return "a rate limit's window must be more than zero and at most one day";
        }

        if (permits < 0 || (Int128)permits * TimeSpan.TicksPerSecond > (Int128)window.Ticks * 1_000_000)
        {
            return "a rate limit must permit 0 to 1,000,000 calls a second";
        }

        return burst is < 1 or > MaxBurst ? $"a rate limit's burst must be 1 to {MaxBurst}" : null;
    }

    /// <summary>Prepares a rate of at least one permit.</summary>
    /// <exception cref="ArgumentException">The rate is out of range; a store that throws denies.</exception>
    public static GcraRate Create(long permits, TimeSpan window, long burst)
    {
        string? fault = Validate(permits, window, burst);
        if (fault is not null || permits == 0)
        {
            throw new ArgumentException(fault ?? "a rate of zero permits has no interval", nameof(permits));
        }

        return new GcraRate(permits, window, burst);
    }

    public bool Matches(in RateLimitCharge charge) => Permits == charge.Permits && Window == charge.Window && Burst == charge.Burst;

    private static long GreatestCommonDivisor(long a, long b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }

        return a;
    }
}
