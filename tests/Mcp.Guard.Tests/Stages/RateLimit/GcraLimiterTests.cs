using Mcp.Guard.Stages.RateLimit;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.RateLimit;

[TestFixture]
internal sealed class GcraLimiterTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    [Test]
    public void Acquire_BurstAndThenRate_AdmitsBurstAtOnceAndOnePermitPerInterval()
    {
        var time = new FakeTimeProvider();
        var limiter = new GcraLimiter(time);
        RateLimitCharge charge = Charge("a", 3, TimeSpan.FromSeconds(1));
        Assert.That(Take(limiter, charge, 5), Is.EqualTo(3));

        RateLimitLease refusal = limiter.Acquire(in charge);
        Assert.That(refusal.LimitId, Is.EqualTo("limit"));
        Assert.That(refusal.RetryAfter, Is.EqualTo(TimeSpan.FromTicks(3_333_334)));
        time.Advance(refusal.RetryAfter!.Value - Tick);
        Assert.That(limiter.Acquire(in charge).IsAdmitted, Is.False);
        time.Advance(Tick);
        Assert.That(Take(limiter, charge, 2), Is.EqualTo(1));
    }

    [TestCase(1, 864_000_000_000L)]
    [TestCase(7, 36_000_000_000L)]
    [TestCase(3, 10_000_000L)]
    [TestCase(999_983, 10_000_000L)]
    [TestCase(1_000_000, 10_000_000L)]
    [TestCase(60_000_000, 600_000_000L)]
    public void Acquire_DrainedForTwoWindows_AdmitsExactlyTheRate(long permits, long windowTicks)
    {
        var time = new FakeTimeProvider();
        var limiter = new GcraLimiter(time);
        RateLimitCharge charge = Charge("a", permits, TimeSpan.FromTicks(windowTicks), burst: 2);
        Assert.That(limiter.Acquire(in charge).IsAdmitted, Is.True);
        long admitted = 0;
        long elapsed = 0;
        while (admitted < Math.Clamp(2 * permits, 10, 50_000))
        {
            Assert.That(limiter.Acquire(in charge).IsAdmitted, Is.True, $"call {admitted} at {elapsed}");
            admitted++;
            RateLimitLease refusal = limiter.Acquire(in charge);
            Assert.That(refusal.IsAdmitted, Is.False);

            // The k-th call is due at ceil(k * window / permits): no rounding adds up.
            long due = (long)((((Int128)admitted * windowTicks) + permits - 1) / permits);
            Assert.That(refusal.RetryAfter, Is.EqualTo(TimeSpan.FromTicks(due - elapsed)));
            time.Advance(refusal.RetryAfter!.Value);
            elapsed = due;
        }
    }

    [Test]
    public void Acquire_ZeroPermits_DeniesWithoutATimeToWaitAndWithoutAKey()
    {
        var limiter = new GcraLimiter(new FakeTimeProvider());
        RateLimitLease refusal = limiter.Acquire(Charge("a", 0, TimeSpan.FromSeconds(1)));
        Assert.That(refusal, Is.EqualTo(new RateLimitLease(false, null, "limit")));
        Assert.That(limiter.KeyCount, Is.Zero);
    }

    [TestCase(-1, 10_000_000L, 1)]
    [TestCase(1, 0L, 1)]
    [TestCase(1, -10_000_000L, 1)]
    [TestCase(1, 864_000_000_001L, 1)]
    [TestCase(1, 10_000_000L, 0)]
    [TestCase(1, 10_000_000L, long.MaxValue)]
    [TestCase(1_000_001, 10_000_000L, 1)]
    [TestCase(long.MaxValue, 10_000_000L, 1)]
    public void Acquire_LimitOutOfRange_Throws(long permits, long windowTicks, long burst)
    {
        Assert.That(GcraRate.Validate(permits, TimeSpan.FromTicks(windowTicks), burst), Is.Not.Null);
        var limiter = new GcraLimiter(new FakeTimeProvider());
        Assert.That(() => limiter.Acquire(Charge("a", permits, TimeSpan.FromTicks(windowTicks), burst)), Throws.ArgumentException);
    }

    [Test]
    public void Acquire_SeveralLimitsOneSpent_ChargesNoneAndNamesTheLongestWait()
    {
        var time = new FakeTimeProvider();
        var limiter = new GcraLimiter(time);
        RateLimitCharge wide = Charge("a", 10, TimeSpan.FromSeconds(1), id: "wide");
        RateLimitCharge narrow = Charge("a", 1, TimeSpan.FromMinutes(1), id: "narrow");
        RateLimitCharge[] both = [wide, narrow];
        Assert.That(limiter.Acquire(both).IsAdmitted, Is.True);
        for (int i = 0; i < 1_000; i++)
        {
            Assert.That(limiter.Acquire(both), Is.EqualTo(new RateLimitLease(false, TimeSpan.FromMinutes(1), "narrow")));
        }

        Assert.That(Take(limiter, wide, 20), Is.EqualTo(9), "the denied calls took nothing from the other limit");
    }

    [Test]
    public void Acquire_KeysWithTheSamePartsInOtherPlaces_AreCountedApart()
    {
        var limiter = new GcraLimiter(new FakeTimeProvider());
        RateLimitKey[] keys =
        [
            new("l", "x", null, null, null), new("l", null, "x", null, null), new("l", null, null, "x", null), new("l", null, null, null, "x"),
            new("l", null, null, null, null), new("x", null, null, null, null), new("l", "x", "x", null, null), new("l", "", "xx", null, null),
            new("l", "xx", "", null, null), new("l", "x", "", "x", null), new("l", null, null, "", null),
        ];
        foreach (RateLimitKey key in keys)
        {
            Assert.That(Take(limiter, new RateLimitCharge(key, 1, TimeSpan.FromDays(1), 1), 3), Is.EqualTo(1), key.ToString());
        }
    }

    [Test]
    public void Acquire_NewRateUnderTheSameKey_KeepsTheTimeUntilIdle()
    {
        var time = new FakeTimeProvider();
        var limiter = new GcraLimiter(time);
        Assert.That(limiter.Acquire(Charge("a", 1, TimeSpan.FromMinutes(1))).IsAdmitted, Is.True);
        RateLimitLease refusal = limiter.Acquire(Charge("a", 2, TimeSpan.FromMinutes(1), burst: 1));
        Assert.That(refusal.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(30)));
        Assert.That(limiter.KeyCount, Is.EqualTo(1));
    }

    [Test]
    public void Acquire_IdleKeys_LeaveWhileNewOnesArrive()
    {
        var time = new FakeTimeProvider();
        var limiter = new GcraLimiter(time);
        for (int i = 0; i < 10_000; i++)
        {
            limiter.Acquire(Charge($"user {i}", 3, TimeSpan.FromSeconds(1)));
        }

        Assert.That(limiter.KeyCount, Is.EqualTo(10_000));
        time.Advance(TimeSpan.FromSeconds(1));
        for (int i = 0; i < 4_000; i++)
        {
            limiter.Acquire(Charge($"later {i}", 3, TimeSpan.FromSeconds(1)));
        }

        Assert.That(limiter.KeyCount, Is.LessThanOrEqualTo(4_010));
    }

    [TestCase(0, false)]
    [TestCase(1, true)]
    [TestCase(GcraLimiter.MaxCharges, true)]
    [TestCase(GcraLimiter.MaxCharges + 1, false)]
    public void Acquire_NumberOfLimits_IsOneToSixteen(int limits, bool counts)
    {
        var limiter = new GcraLimiter(new FakeTimeProvider());
        RateLimitCharge[] charges = [.. Enumerable.Range(0, limits).Select(i => Charge("a", 1, TimeSpan.FromDays(1), id: $"limit {i}"))];
        if (!counts)
        {
            Assert.That(() => limiter.Acquire(charges), Throws.ArgumentException.With.Message.Contains("1 to 16"));
            return;
        }

        Assert.That(limiter.Acquire(charges).IsAdmitted, Is.True);
        Assert.That(limiter.Acquire(charges), Is.EqualTo(new RateLimitLease(false, TimeSpan.FromDays(1), "limit 0")), "of limits spent alike the first is named");
    }

    [Test]
    public void Acquire_CapOfNoKeys_Throws() => Assert.That(() => new GcraLimiter(new FakeTimeProvider(), 0), Throws.InstanceOf<ArgumentOutOfRangeException>());

    // Each reading finds room, the second charge does not: what was charged goes back.
    [Test]
    public void Acquire_RoomForSomeOfTheChargesOnly_ChargesNone()
    {
        var limiter = new GcraLimiter(new FakeTimeProvider());
        RateLimitCharge first = Charge("a", 2, TimeSpan.FromDays(1), id: "first");
        RateLimitCharge second = Charge("a", 5, TimeSpan.FromDays(1), id: "second");
        RateLimitCharge last = Charge("a", 1, TimeSpan.FromMinutes(1), id: "last");
        RateLimitCharge[] charges = [first, second, last, last];
        for (int i = 0; i < 10; i++)
        {
            Assert.That(limiter.Acquire(charges), Is.EqualTo(new RateLimitLease(false, TimeSpan.FromMinutes(1), "last")));
        }

        Assert.That((Take(limiter, first, 9), Take(limiter, second, 9), Take(limiter, last, 9)), Is.EqualTo((2, 5, 1)));
    }

    // While the charges go back another call uses up a limit that this one had not come to.
    [TestCase(1, "met")]
    [TestCase(60, "other")]
    [TestCase(3600, "other")]
    public void Acquire_AnotherLimitIsSpentMeanwhile_NamesTheLongerWait(int seconds, string named)
    {
        var time = new InterruptedTime();
        var limiter = new GcraLimiter(time);
        RateLimitCharge met = Charge("a", 1, TimeSpan.FromSeconds(60), id: "met");
        RateLimitCharge other = Charge("a", 1, TimeSpan.FromSeconds(seconds), id: "other");
        int readings = 0;
        time.OnReading = () => readings += readings == 1 && limiter.Acquire(in other).IsAdmitted ? 2 : 1;
        RateLimitLease refusal = limiter.Acquire([met, met, other]);
        Assert.That(readings, Is.GreaterThanOrEqualTo(3), "the other call was admitted in between");
        Assert.That(refusal, Is.EqualTo(new RateLimitLease(false, TimeSpan.FromSeconds(Math.Max(60, seconds)), named)));
    }

    [Test]
    public void Acquire_IdleKeysOfAChangedRate_LeaveToo()
    {
        var time = new FakeTimeProvider();
        var limiter = new GcraLimiter(time);
        for (int i = 0; i < 1_000; i++)
        {
            limiter.Acquire(Charge($"user {i}", 3, TimeSpan.FromSeconds(1)));
            limiter.Acquire(Charge($"user {i}", 2, TimeSpan.FromSeconds(1)));
        }

        Assert.That(limiter.KeyCount, Is.EqualTo(1_000));
        time.Advance(TimeSpan.FromSeconds(2));
        for (int i = 0; i < 1_000; i++)
        {
            limiter.Acquire(Charge($"later {i}", 3, TimeSpan.FromSeconds(1)));
        }

        Assert.That(limiter.KeyCount, Is.LessThanOrEqualTo(1_010));
    }

    // Where every key is in use, new ones share a bucket without a burst, which keeps what it owes under a new rate.
    [TestCase(3, 60)]
    [TestCase(6, 10)]
    [TestCase(3, 20)]
    public void Acquire_SharedBucketUnderAnotherRate_KeepsWhatItOwes(long permits, int seconds)
    {
        var limiter = new GcraLimiter(new FakeTimeProvider(), maxKeys: 1);
        Assert.That(limiter.Acquire(Charge("first", 1, TimeSpan.FromDays(1))).IsAdmitted, Is.True);
        Assert.That(limiter.Acquire(Charge("second", 3, TimeSpan.FromSeconds(60))).IsAdmitted, Is.True);
        Assert.That(limiter.Acquire(Charge("third", 3, TimeSpan.FromSeconds(60))).RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(20)), "one for all, and no burst");
        RateLimitLease changed = limiter.Acquire(Charge("fourth", permits, TimeSpan.FromSeconds(seconds)));
        Assert.That(changed.IsAdmitted, Is.False);
        Assert.That(changed.RetryAfter, Is.EqualTo(TimeSpan.FromTicks(Math.Min(20 * TimeSpan.TicksPerSecond, ((seconds * TimeSpan.TicksPerSecond) + permits - 1) / permits))));
        Assert.That(limiter.KeyCount, Is.EqualTo(1));
    }

    [Test]
    public void Acquire_MoreLimitsThanSharedBuckets_Throws()
    {
        var limiter = new GcraLimiter(new FakeTimeProvider(), maxKeys: 1);
        limiter.Acquire(Charge("first", 1, TimeSpan.FromDays(1)));
        for (int i = 0; i < 4096; i++)
        {
            Assert.That(limiter.Acquire(Charge("other", 1, TimeSpan.FromDays(1), id: $"limit {i}")).IsAdmitted, Is.True);
        }

        Assert.That(() => limiter.Acquire(Charge("other", 1, TimeSpan.FromDays(1), id: "one more")), Throws.InvalidOperationException.With.Message.Contains("no shared bucket left"));
        Assert.That(limiter.Acquire(Charge("other", 1, TimeSpan.FromDays(1), id: "limit 7")).IsAdmitted, Is.False, "those that are there go on");
    }

    internal static RateLimitCharge Charge(string user, long permits, TimeSpan window, long? burst = null, string id = "limit") =>
        new(new RateLimitKey(id, null, null, user, null), permits, window, burst ?? permits);

    internal static int Take(GcraLimiter limiter, RateLimitCharge charge, int calls)
    {
        int admitted = 0;
        for (int i = 0; i < calls; i++)
        {
            admitted += limiter.Acquire(in charge).IsAdmitted ? 1 : 0;
        }

        return admitted;
    }

    /// <summary>Time that stands still, and something that happens whenever it is read.</summary>
    private sealed class InterruptedTime : TimeProvider
    {
        public Action? OnReading { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp()
        {
            if (OnReading is { } happens)
            {
                OnReading = null;
                happens();
                OnReading = happens;
            }

            return 0;
        }
    }
}
