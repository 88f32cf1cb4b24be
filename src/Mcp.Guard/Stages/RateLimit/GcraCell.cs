using System.Diagnostics;

namespace Mcp.Guard.Stages.RateLimit;

/// <summary>
/// The state of one key: a single 64-bit word, changed only by compare-and-swap. It holds the theoretical arrival time (the moment at which the key is
/// idle again) in units since the cell's base. The top bit retires the cell for good: its last value stays readable, so that every thread that finds it
/// computes the same successor and none has to wait for another.
/// </summary>
internal sealed class GcraCell
{
    private const long RetiredBit = long.MinValue;

    private readonly long _baseStep;
    private long _word;

    public GcraCell(RateLimitKey key, GcraRate rate, long now, long unitsAhead = 0)
    {
        Key = key;
        Rate = rate;
        _baseStep = now >> rate.StepShift;
        _word = unitsAhead;
    }

    public RateLimitKey Key { get; }

    public GcraRate Rate { get; }

    /// <summary>Charges one call.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="before">After an admission: the word before it, for <see cref="Refund"/>.</param>
    /// <param name="after">After an admission: the word that was written.</param>
    /// <param name="wait">After a denial: the exact time to wait, in 100 ns.</param>
    public GcraOutcome TryTake(long now, out long before, out long after, out long wait)
    {
        while (true)
        {
            GcraOutcome outcome = Judge(now, out before, out after, out wait);
            if (outcome != GcraOutcome.Admitted || Interlocked.CompareExchange(ref _word, after, before) == before)
            {
                return outcome;
            }
        }
    }

    /// <summary>Judges one call without charging it.</summary>
    public GcraOutcome Peek(long now, out long wait) => Judge(now, out _, out _, out wait);

    /// <summary>
    /// Takes back a charge of a moment ago. Where nobody charged since, the exact old state returns. Otherwise as much is given back as the later charges
    /// cannot have used already, at most the charge and at least the charge less the time since: never more than was taken.
    /// </summary>
    public void Refund(long before, long after, long takenAt, long now)
    {
        if (Interlocked.CompareExchange(ref _word, before, after) == after)
        {
            return;
        }

        long sinceTaken = Math.Max(0, (now >> Rate.StepShift) - (takenAt >> Rate.StepShift));
        bool neverIdle = before >= UnitsAt(now);
        long amount = neverIdle
            ? Rate.Interval
            : sinceTaken > Rate.Interval / Rate.UnitsPerStep ? 0 : Rate.Interval - (sinceTaken * Rate.UnitsPerStep);
        long current = Volatile.Read(ref _word);
        while (amount > 0 && current >= amount)
        {
            long seen = Interlocked.CompareExchange(ref _word, current - amount, current);
            if (seen == current)
            {
                return;
            }

            current = seen;
        }
    }

    /// <summary>Retires the cell where the key is idle: nothing is lost, a new cell for the key would be in the same state.</summary>
    public bool TryRetireIdle(long now)
    {
        long word = Volatile.Read(ref _word);
        return word >= 0 && word <= UnitsAt(now) && Interlocked.CompareExchange(ref _word, word | RetiredBit, word) == word;
    }

    public bool IsRetired => Volatile.Read(ref _word) < 0;

    /// <summary>Retires the cell whatever its state.</summary>
    public void Retire() => Interlocked.Or(ref _word, RetiredBit);

    /// <summary>A cell for the same key that goes on where this retired one stopped, counted from now and at the given rate.</summary>
    public GcraCell Successor(GcraRate rate, long now)
    {
        Debug.Assert(IsRetired, "the state is final only once the cell is retired");
        Int128 ahead = Int128.Max(0, (Volatile.Read(ref _word) & ~RetiredBit) - UnitsAt(now));
        if (!ReferenceEquals(rate, Rate))
        {
            // Another rate under the same key (a new policy): the time until the key is idle is kept.
            Int128 steps = (ahead + Rate.UnitsPerStep - 1) / Rate.UnitsPerStep;
            ahead = ((steps << Rate.StepShift) >> rate.StepShift) * rate.UnitsPerStep;
        }

        // No more than the rate can owe: after a change of rate, or where the time source went far back.
        ahead = Int128.Min(ahead, rate.Tolerance + rate.Interval);
        return new GcraCell(Key, rate, now, (long)ahead);
    }

    private GcraOutcome Judge(long now, out long before, out long after, out long wait)
    {
        GcraRate rate = Rate;
        long step = now >> rate.StepShift;
        long sinceBase = step - _baseStep;
        before = Volatile.Read(ref _word);
        after = 0;
        wait = 0;
        if (before < 0 || sinceBase > rate.Horizon || sinceBase < -rate.Horizon)
        {
            return GcraOutcome.Retired;
        }

        long clock = sinceBase * rate.UnitsPerStep;
        long arrival = Math.Max(before, clock);
        long excess = arrival - clock - rate.Tolerance;
        if (excess <= 0)
        {
            // A source whose time went back behind the base could leave a word below zero, which would read as retired.
            after = Math.Max(0, arrival + rate.Interval);
            return GcraOutcome.Admitted;
        }

        long steps = ((excess - 1) / rate.UnitsPerStep) + 1;
        wait = ((step + steps) << rate.StepShift) - now;
        return GcraOutcome.Denied;
    }

    private Int128 UnitsAt(long now) => (Int128)((now >> Rate.StepShift) - _baseStep) * Rate.UnitsPerStep;
}
