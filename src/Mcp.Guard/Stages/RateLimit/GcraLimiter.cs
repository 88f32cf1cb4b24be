using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Mcp.Guard.Stages.RateLimit;

/// <summary>
/// Counts calls for any number of rate limits in bounded memory. A known key costs one look-up and one compare-and-swap, and no memory.
/// </summary>
/// <remarks>
/// <para>
/// Several limits are charged together or not at all: all are read first, and only where all admit are they charged, one after the other. Where a parallel
/// call takes the last permit in between, what was charged is given back, never more than was taken; a third call in those nanoseconds may be denied for
/// it, but no limit is ever exceeded.
/// </para>
/// <para>
/// The number of keys is capped. Each new key looks at a few old ones in turn and removes those that are idle, which costs amortised constant time and
/// changes no decision, since an idle key and a new key are in the same state. Where every key is in use, new keys share one bucket for each limit, with the
/// limit's rate and no burst; keys that are in use keep theirs.
/// </para>
/// </remarks>
internal sealed class GcraLimiter
{
    /// <summary>The default cap on keys.</summary>
    public const int DefaultMaxKeys = 100_000;

    /// <summary>The most limits that one call can be charged to (<see cref="IRateLimitStore.AcquireAsync"/>).</summary>
    public const int MaxCharges = 16;

    // Limits come from the policy, so these caps are reached only by a store that is used for something else; beyond them a call is denied.
    private const int MaxSharedBuckets = 4096;
    private const int MaxRates = 4096;

    // Each new key looks at this many old ones: with two or more, a table full of idle keys shrinks while it is used.
    private const int SweepLength = 4;

    private readonly ConcurrentDictionary<RateLimitKey, GcraCell> _cells = new(RateLimitKeyComparer.Instance);
    private readonly ConcurrentDictionary<RateLimitKey, GcraCell> _shared = new(RateLimitKeyComparer.Instance);
    private readonly ConcurrentDictionary<(long Permits, TimeSpan Window, long Burst), GcraRate> _rates = new();
    private readonly ConcurrentQueue<GcraCell> _sweep = new();
    private readonly MonotonicClock _clock;
    private readonly int _maxKeys;
    private int _keys;

    /// <summary>Makes a limiter.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="maxKeys">The cap on keys: 1 or more.</param>
    public GcraLimiter(TimeProvider time, int maxKeys = DefaultMaxKeys)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxKeys, 1);
        _clock = new MonotonicClock(time);
        _maxKeys = maxKeys;
    }

    /// <summary>The number of keys that have a bucket of their own.</summary>
    public int KeyCount => Volatile.Read(ref _keys);

    /// <summary>Charges one limit.</summary>
    public RateLimitLease Acquire(in RateLimitCharge charge)
    {
        if (charge.Permits == 0)
        {
            return new RateLimitLease(false, null, charge.Key.LimitId);
        }

        return Take(in charge, _clock.Now, out _, out _, out _, out long wait)
            ? new RateLimitLease(true, null, null)
            : new RateLimitLease(false, TimeSpan.FromTicks(wait), charge.Key.LimitId);
    }

    /// <summary>Charges all limits or none.</summary>
    /// <exception cref="ArgumentException">There is no limit, there are too many, or one is out of range; the caller denies.</exception>
    public RateLimitLease Acquire(ReadOnlySpan<RateLimitCharge> charges)
    {
        if (charges.Length is 0 or > MaxCharges)
        {
            throw new ArgumentException($"a call is charged to 1 to {MaxCharges} limits", nameof(charges));
        }

        return charges.Length == 1 ? Acquire(in charges[0]) : AcquireAll(charges);
    }

    private RateLimitLease AcquireAll(ReadOnlySpan<RateLimitCharge> charges)
    {
        long now = _clock.Now;
        RateLimitLease refusal = Refusal(charges, now);
        if (refusal.LimitId is not null)
        {
            return refusal;
        }

        CellBuffer cells = default;
        Span<long> before = stackalloc long[MaxCharges];
        Span<long> after = stackalloc long[MaxCharges];
        for (int i = 0; i < charges.Length; i++)
        {
            if (Take(in charges[i], now, out cells[i], out before[i], out after[i], out long wait))
            {
                continue;
            }

            long refundedAt = _clock.Now;
            for (int taken = i - 1; taken >= 0; taken--)
            {
                cells[taken].Refund(before[taken], after[taken], now, refundedAt);
            }

            // Another limit may by now refuse for longer than the one that was met first.
            var met = new RateLimitLease(false, TimeSpan.FromTicks(wait), charges[i].Key.LimitId);
            refusal = Refusal(charges, now);
            return refusal.LimitId is not null && refusal.RetryAfter >= met.RetryAfter ? refusal : met;
        }

        return new RateLimitLease(true, null, null);
    }

    /// <summary>The refusal with the longest wait, or one without a limit id where all limits would admit.</summary>
    private RateLimitLease Refusal(ReadOnlySpan<RateLimitCharge> charges, long now)
    {
        long longest = 0;
        string? limit = null;
        foreach (ref readonly RateLimitCharge charge in charges)
        {
            if (charge.Permits == 0)
            {
                return new RateLimitLease(false, null, charge.Key.LimitId);
            }

            long wait;
            GcraOutcome outcome;
            ConcurrentDictionary<RateLimitKey, GcraCell> owner;
            GcraCell cell;
            while ((outcome = (cell = Find(in charge, now, out owner)).Peek(now, out wait)) == GcraOutcome.Retired)
            {
                Renew(owner, cell, cell.Rate, now);
            }

            if (outcome == GcraOutcome.Denied && (limit is null || wait > longest))
            {
                longest = wait;
                limit = charge.Key.LimitId;
            }
        }

        return new RateLimitLease(false, TimeSpan.FromTicks(longest), limit);
    }

    private bool Take(in RateLimitCharge charge, long now, out GcraCell cell, out long before, out long after, out long wait)
    {
        while (true)
        {
            cell = Find(in charge, now, out ConcurrentDictionary<RateLimitKey, GcraCell> owner);
            GcraOutcome outcome = cell.TryTake(now, out before, out after, out wait);
            if (outcome != GcraOutcome.Retired)
            {
                return outcome == GcraOutcome.Admitted;
            }

            Renew(owner, cell, cell.Rate, now);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private GcraCell Find(in RateLimitCharge charge, long now, out ConcurrentDictionary<RateLimitKey, GcraCell> owner)
    {
        owner = _cells;
        return _cells.TryGetValue(charge.Key, out GcraCell? cell) && cell.Rate.Matches(in charge) ? cell : FindSlowly(in charge, now, out owner);
    }

    private GcraCell FindSlowly(in RateLimitCharge charge, long now, out ConcurrentDictionary<RateLimitKey, GcraCell> owner)
    {
        GcraRate rate = RateOf(charge.Permits, charge.Window, charge.Burst);
        owner = _cells;
        while (true)
        {
            if (_cells.TryGetValue(charge.Key, out GcraCell? cell))
            {
                if (cell.Rate.Matches(in charge))
                {
                    return cell;
                }

                Renew(_cells, cell, rate, now);
                continue;
            }

            Sweep(now);
            if (Interlocked.Increment(ref _keys) > _maxKeys)
            {
                Interlocked.Decrement(ref _keys);
                owner = _shared;
                return SharedCell(in charge, now);
            }

            var fresh = new GcraCell(charge.Key, rate, now);
            if (_cells.TryAdd(charge.Key, fresh))
            {
                _sweep.Enqueue(fresh);
                return fresh;
            }

            Interlocked.Decrement(ref _keys);
        }
    }

    private GcraCell SharedCell(in RateLimitCharge charge, long now)
    {
        GcraRate strict = RateOf(charge.Permits, charge.Window, 1);
        var key = new RateLimitKey(charge.Key.LimitId, null, null, null, null);
        while (true)
        {
            if (!_shared.TryGetValue(key, out GcraCell? cell))
            {
                if (_shared.Count >= MaxSharedBuckets)
                {
                    throw new InvalidOperationException("the rate limiter is full and has no shared bucket left");
                }

                cell = _shared.GetOrAdd(key, new GcraCell(key, strict, now));
            }

            if (ReferenceEquals(cell.Rate, strict) || (cell.Rate.Permits == strict.Permits && cell.Rate.Window == strict.Window))
            {
                return cell;
            }

            Renew(_shared, cell, strict, now);
        }
    }

    /// <summary>Puts a successor in the place of a cell; of several threads one wins, and all go on with the winner's.</summary>
    private void Renew(ConcurrentDictionary<RateLimitKey, GcraCell> owner, GcraCell cell, GcraRate rate, long now)
    {
        cell.Retire();
        GcraCell successor = cell.Successor(rate, now);
        if (owner.TryUpdate(cell.Key, successor, cell) && ReferenceEquals(owner, _cells))
        {
            Sweep(now);
            _sweep.Enqueue(successor);
        }
    }

    private void Sweep(long now)
    {
        for (int i = 0; i < SweepLength && _sweep.TryDequeue(out GcraCell? cell); i++)
        {
            if (cell.TryRetireIdle(now))
            {
                if (_cells.TryRemove(KeyValuePair.Create(cell.Key, cell)))
                {
                    Interlocked.Decrement(ref _keys);
                }
            }
            else if (!cell.IsRetired)
            {
                _sweep.Enqueue(cell);
            }
        }
    }

    private GcraRate RateOf(long permits, TimeSpan window, long burst)
    {
        if (_rates.TryGetValue((permits, window, burst), out GcraRate? rate))
        {
            return rate;
        }

        rate = GcraRate.Create(permits, window, burst);
        return _rates.Count >= MaxRates ? rate : _rates.GetOrAdd((permits, window, burst), rate);
    }

    [InlineArray(MaxCharges)]
    private struct CellBuffer
    {
        private GcraCell _first;
    }
}
