using System.Numerics;
using StackExchange.Redis;

namespace Mcp.Guard.Redis;

/// <summary>
/// One rate in whole numbers for the script, whose numbers are exact below 2^53: the same arithmetic as in process (ITU-T I.371), with the server's
/// microseconds as steps. Where burst times window needs more, steps are longer (a power of two) and the interval is rounded up: a permit may come later than
/// its exact moment by at most a step, and never earlier.
/// </summary>
/// <param name="UnitsPerStep">Units that pass in one step.</param>
/// <param name="StepMicroseconds">The length of a step.</param>
/// <param name="Interval">What one permit costs, in units.</param>
/// <param name="Tolerance">How far ahead of the clock a key may be to be admitted, in units.</param>
internal sealed record GcraScale(RedisValue UnitsPerStep, RedisValue StepMicroseconds, RedisValue Interval, RedisValue Tolerance)
{
    private const int ExactBits = 51;

    /// <exception cref="ArgumentException">The rate is out of range; the store throws, which denies.</exception>
    public static GcraScale Create(long permits, TimeSpan window, long burst)
    {
        if (Stages.RateLimit.GcraRate.Validate(permits, window, burst) is { } fault || permits == 0)
        {
            throw new ArgumentException("the limit cannot be counted: out of range", nameof(permits));
        }

        long perMicrosecond = permits * TimeSpan.TicksPerMicrosecond;
        long divisor = (long)BigInteger.GreatestCommonDivisor(perMicrosecond, window.Ticks);
        long units = perMicrosecond / divisor;
        long interval = window.Ticks / divisor;
        int shift = 0;
        while ((UInt128)(ulong)burst * (ulong)(((interval - 1) >> shift) + 1) >> ExactBits != 0)
        {
            shift++;
        }

        interval = ((interval - 1) >> shift) + 1;
        return new GcraScale(units, 1L << shift, interval, (burst - 1) * interval);
    }
}
