using System.Threading.RateLimiting;
using BclLease = System.Threading.RateLimiting.RateLimitLease;

namespace Mcp.Guard;

/// <summary>Puts any <see cref="PartitionedRateLimiter{TResource}"/> in the place of the built-in limiter: the host partitions by <see cref="RateLimitCharge.Key"/>.</summary>
/// <remarks>
/// <para>That interface cannot give permits back, so several limits are all read before one is charged, by the limiter's statistics. A limiter without
/// statistics, or a parallel call in between, can lose a permit of one limit where another refuses; more than the limit is never admitted.</para>
/// <para>The interface has no time provider: the limiter keeps its own time, and states the time to wait only where it has the metadata
/// <see cref="MetadataName.RetryAfter"/>. Leases are returned at once, so concurrency limiters do not fit here.</para>
/// </remarks>
public sealed class PartitionedRateLimitStore : IRateLimitStore
{
    private readonly PartitionedRateLimiter<RateLimitCharge> _limiter;

    /// <summary>Wraps a limiter, which stays the host's to dispose.</summary>
    /// <param name="limiter">The limiter.</param>
    public PartitionedRateLimitStore(PartitionedRateLimiter<RateLimitCharge> limiter)
    {
        ArgumentNullException.ThrowIfNull(limiter);
        _limiter = limiter;
    }

    /// <inheritdoc/>
    public ValueTask<RateLimitLease> AcquireAsync(ReadOnlyMemory<RateLimitCharge> charges, CancellationToken ct)
    {
        if (ct.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<RateLimitLease>(ct);
        }

        if (charges.IsEmpty)
        {
            throw new ArgumentException("a call is charged to at least one limit", nameof(charges));
        }

        return new(Acquire(charges.Span));
    }

    private RateLimitLease Acquire(ReadOnlySpan<RateLimitCharge> charges)
    {
        foreach (ref readonly RateLimitCharge charge in charges)
        {
            if (charge.Permits == 0)
            {
                return new RateLimitLease(false, null, charge.Key.LimitId);
            }
        }

        // The longest wait of all limits that are spent; asking one that is spent charges nothing.
        RateLimitLease refusal = default;
        foreach (ref readonly RateLimitCharge charge in charges)
        {
            if (charges.Length > 1 && _limiter.GetStatistics(charge) is { CurrentAvailablePermits: < 1 }
                && !TryTake(in charge, out TimeSpan? wait)
                && (refusal.LimitId is null || wait > refusal.RetryAfter))
            {
                refusal = new RateLimitLease(false, wait, charge.Key.LimitId);
            }
        }

        if (refusal.LimitId is not null)
        {
            return refusal;
        }

        foreach (ref readonly RateLimitCharge charge in charges)
        {
            if (!TryTake(in charge, out TimeSpan? wait))
            {
                return new RateLimitLease(false, wait, charge.Key.LimitId);
            }
        }

        return new RateLimitLease(true, null, null);
    }

    private bool TryTake(in RateLimitCharge charge, out TimeSpan? wait)
    {
        using BclLease lease = _limiter.AttemptAcquire(charge);
        wait = !lease.IsAcquired && lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan after) ? after : null;
        return lease.IsAcquired;
    }
}
