using System.Collections.Concurrent;
using System.Globalization;
using StackExchange.Redis;

namespace Mcp.Guard.Redis;

/// <summary>
/// What sessions spend over all hosts. A host remembers the last sums that it saw, bounded: where the server lost its data they are put back, so that an
/// empty server does not begin every session anew.
/// </summary>
internal sealed class RedisBudgetStore(RedisLink link) : IBudgetStore
{
    private const long LargestExact = (1L << 53) - 1;
    private const int MaxMoments = 64;
    private const int MaxSeen = 50_000;

    private static readonly TimeSpan SessionIdle = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<BudgetKey, Seen> _seen = new();
    private readonly ConcurrentQueue<BudgetKey> _order = new();

    /// <inheritdoc/>
    public async ValueTask<long> AddAsync(BudgetKey key, long amount, TimeSpan window, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        if (window != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(window, TimeSpan.Zero);
        }

        long sum = await AskAsync(key, amount, window, ct);
        if (_seen.TryGetValue(key, out Seen seen) && sum < Sum(seen.Sum, amount) && MayBeLost(seen, window))
        {
            // Of several hosts each puts back only what is missing from what it saw.
            sum = await AskAsync(key, Sum(seen.Sum, amount) - sum, window, ct);
        }

        Remember(key, sum);
        return sum;
    }

    private static long Sum(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;

    // Only after a loss: without one, a sum that looks too low is that of a call which another one of the same moment overtook.
    private bool MayBeLost(in Seen seen, TimeSpan window) =>
        seen.Losses != link.Losses && (window == Timeout.InfiniteTimeSpan || link.Time.GetElapsedTime(seen.At) < window);

    private async ValueTask<long> AskAsync(BudgetKey key, long amount, TimeSpan window, CancellationToken ct)
    {
        int shard = RedisKeys.ShardOf('u', key.UserId);
        long microseconds = window == Timeout.InfiniteTimeSpan ? 0 : Math.Max(1, (long)Math.Ceiling(window.TotalMicroseconds));
        RedisReply reply = await link.RunAsync(
            "budget",
            RedisScript.Budget,
            shard,
            [
                link.Keys.Epoch(shard),
                link.Keys.Of(shard, "b", RedisKeys.Digest('b', key.BudgetId, key.UserId, key.SessionId, key.Server, key.Tool, key.ArgumentsDigest)),
            ],
            [
                Math.Min(amount, LargestExact).ToString(CultureInfo.InvariantCulture), microseconds, (long)SessionIdle.TotalMilliseconds, MaxMoments,
            ],
            ct);
        long sum = long.Parse((string)reply.Parts[2]!, NumberStyles.None, CultureInfo.InvariantCulture);
        return sum >= LargestExact ? long.MaxValue : sum;
    }

    private void Remember(in BudgetKey key, long sum)
    {
        if (sum == 0)
        {
            return;
        }

        if (_seen.TryAdd(key, new Seen(sum, link.Time.GetTimestamp(), link.Losses)))
        {
            _order.Enqueue(key);
            while (_seen.Count > MaxSeen && _order.TryDequeue(out BudgetKey oldest))
            {
                _seen.TryRemove(oldest, out _);
            }
        }
        else
        {
            _seen[key] = new Seen(sum, link.Time.GetTimestamp(), link.Losses);
        }
    }

    private readonly record struct Seen(long Sum, long At, long Losses);
}
