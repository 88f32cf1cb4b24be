using System.Collections.Concurrent;

namespace Mcp.Guard.Redis;

/// <summary>
/// Denials of the server with their time to wait, answered from here until it is over: in that time the server would deny too, since nothing but time
/// gives a permit back. Bounded: what does not fit is asked.
/// </summary>
internal sealed class KnownDenials(TimeProvider time)
{
    private const int MaxKeys = 10_000;

    // Asked again a little early rather than late; what a caller is told includes it.
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(1);

    private readonly ConcurrentDictionary<RateLimitCharge, long> _until = new();
    private readonly ConcurrentQueue<RateLimitCharge> _sweep = new();

    public RateLimitLease? Find(ReadOnlySpan<RateLimitCharge> charges)
    {
        if (_until.IsEmpty)
        {
            return null;
        }

        long now = time.GetTimestamp();
        foreach (ref readonly RateLimitCharge charge in charges)
        {
            if (_until.TryGetValue(charge, out long until) && until > now)
            {
                return new RateLimitLease(false, time.GetElapsedTime(now, until) + Margin, charge.Key.LimitId);
            }
        }

        return null;
    }

    public void Remember(ReadOnlySpan<RateLimitCharge> charges, in RateLimitLease denial)
    {
        if (denial.RetryAfter is not { } wait || wait < 2 * Margin)
        {
            return;
        }

        long until = time.GetTimestamp() + (long)((wait - Margin).TotalSeconds * time.TimestampFrequency);
        foreach (ref readonly RateLimitCharge charge in charges)
        {
            if (!string.Equals(charge.Key.LimitId, denial.LimitId, StringComparison.Ordinal))
            {
                continue;
            }

            Sweep();
            if (_until.ContainsKey(charge))
            {
                _until[charge] = until;
            }
            else if (_until.Count < MaxKeys && _until.TryAdd(charge, until))
            {
                _sweep.Enqueue(charge);
            }
        }
    }

    private void Sweep()
    {
        long now = time.GetTimestamp();
        for (int i = 0; i < 4 && _sweep.TryDequeue(out RateLimitCharge charge); i++)
        {
            if (_until.TryGetValue(charge, out long until) && until > now)
            {
                _sweep.Enqueue(charge);
            }
            else
            {
                _until.TryRemove(charge, out _);
            }
        }
    }
}
