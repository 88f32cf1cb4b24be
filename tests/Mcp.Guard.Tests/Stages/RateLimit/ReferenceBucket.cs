using System.Numerics;

namespace Mcp.Guard.Tests.Stages.RateLimit;

/// <summary>The obvious limiter: a bucket that drips, in exact fractions (content times window, in 100 ns). The real one is compared with it.</summary>
internal sealed class ReferenceBucket(long permits, TimeSpan window, long burst)
{
    private BigInteger _content = (BigInteger)burst * window.Ticks;
    private long _last;

    public bool TryTake(long now, out long wait)
    {
        Drip(now);
        wait = WaitAt(now);
        if (wait > 0)
        {
            return false;
        }

        _content -= window.Ticks;
        return true;
    }

    public long WaitAt(long now)
    {
        Drip(now);
        BigInteger missing = window.Ticks - _content;
        return missing.Sign <= 0 ? 0 : (long)((missing + permits - 1) / permits);
    }

    private void Drip(long now)
    {
        _content = BigInteger.Min((BigInteger)burst * window.Ticks, _content + ((BigInteger)(now - _last) * permits));
        _last = now;
    }
}
