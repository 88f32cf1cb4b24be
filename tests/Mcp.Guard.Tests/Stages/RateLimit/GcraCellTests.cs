using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.RateLimit;

namespace Mcp.Guard.Tests.Stages.RateLimit;

/// <summary>One key's state: what a refund gives back, when it counts as idle, and what is kept where its rate changes.</summary>
[TestFixture]
internal sealed class GcraCellTests
{
    private const long Second = TimeSpan.TicksPerSecond;
    private static readonly RateLimitKey Key = new("limit", null, null, "user", null);

    // One permit a second, three at once.
    private static readonly GcraRate Rate = GcraRate.Create(1, TimeSpan.FromSeconds(1), 3);

    // So large that its clock is read in steps of 8 ticks.
    private static readonly GcraRate Coarse = GcraRate.Create(1, TimeSpan.FromDays(1), 10_000_000);

    [Test]
    public void Refund_NobodyChargedSince_TheOldStateReturns()
    {
        var cell = new GcraCell(Key, Rate, 5 * Second);
        Assert.That(cell.TryTake(5 * Second, out long before, out long after, out _), Is.EqualTo(GcraOutcome.Admitted));
        cell.Refund(before, after, 5 * Second, 5 * Second);
        Assert.That(Taken(cell, 5 * Second), Is.EqualTo(3));
    }

    // In use all the while, the key owes the whole charge back.
    [TestCase(0)]
    [TestCase(Second / 2)]
    [TestCase(Second)]
    public void Refund_OthersChargedAndTheKeyWasNeverIdle_GivesTheWholeChargeBack(long later)
    {
        var cell = new GcraCell(Key, Rate, 0);
        Assert.That(Taken(cell, 0, 1), Is.EqualTo(1));
        cell.TryTake(0, out long before, out long after, out _);
        Assert.That(Taken(cell, 0, 1), Is.EqualTo(1));
        cell.Refund(before, after, 0, later);

        Assert.That(InUseUntil(cell, later), Is.EqualTo(2 * Second), "two charges are left");
    }

    // What passed while the key was idle would have filled it anyway: it is not given back a second time.
    [TestCase(Second / 4, Second / 2)]
    [TestCase(Second / 2, Second / 2)]
    [TestCase(Second / 4, Second - 1)]
    [TestCase(Second / 4, Second)]
    [TestCase(Second / 4, 2 * Second)]
    public void Refund_TheKeyWasIdleMeanwhile_GivesTheChargeLessTheTimeSince(long charged, long refunded)
    {
        const long Start = 7 * Second;
        var cell = new GcraCell(Key, Rate, 0);
        cell.TryTake(Start, out long before, out long after, out _);
        cell.TryTake(Start + charged, out _, out _, out _);
        cell.Refund(before, after, Start, Start + refunded);
        Assert.That(InUseUntil(cell, Start + refunded), Is.EqualTo(Start + (2 * Second) - Math.Max(0, Second - refunded)));
    }

    // 3 units pass in a tick and a permit is 10,000,000 of them: one unit is left of the charge after 3,333,333 ticks.
    [TestCase(0, 10_000_000)]
    [TestCase(1, 9_999_997)]
    [TestCase(3_333_333, 1)]
    [TestCase(3_333_334, 0)]
    public void Refund_RateThatDividesUnevenly_GivesBackToTheUnit(long since, long units)
    {
        GcraRate thirds = GcraRate.Create(3, TimeSpan.FromSeconds(1), 3);
        var cell = new GcraCell(Key, thirds, 0);
        cell.TryTake(2 * Second, out long before, out long after, out _);
        cell.TryTake(2 * Second, out _, out long both, out _);
        cell.Refund(before, after, 2 * Second, (2 * Second) + since);
        cell.TryTake((2 * Second) + since, out long now, out _, out _);
        Assert.That(both - now, Is.EqualTo(units));
    }

    [Test]
    public void Refund_ClockInCoarseSteps_CountsTheTimeInItsSteps()
    {
        Assert.That(Coarse.StepShift, Is.EqualTo(3));
        const long Hour = 3600 * Second;
        var cell = new GcraCell(Key, Coarse, Hour);
        cell.TryTake(Hour, out long before, out long after, out _);
        cell.TryTake(2 * Hour, out _, out long both, out _);
        cell.Refund(before, after, Hour, 3 * Hour);
        cell.TryTake(3 * Hour, out long now, out _, out _);
        Assert.That(both - now, Is.EqualTo(Coarse.Interval - (2 * Hour / 8)));
    }

    [Test]
    public void Refund_Twice_GivesBackNoMoreThanWasTaken()
    {
        var cell = new GcraCell(Key, Rate, 0);
        cell.TryTake(0, out long before, out long after, out _);
        cell.Refund(before, after, 0, 0);
        cell.Refund(before, after, 0, 0);
        Assert.That(cell.IsRetired, Is.False);
        Assert.That(Taken(cell, 0), Is.EqualTo(3));
    }

    [Test]
    public void Refund_AllChargesOfOneMomentInAnyOrder_TheStateBeforeReturns()
    {
        Gen<(int Held, int[] Order)> run = from held in Gen.Choose(0, 3) from order in Gen.Shuffle([0, 1, 2, 3]) select (held, order);
        Check.One(Properties.Config(), Prop.ForAll(run.ToArbitrary(), one =>
        {
            var cell = new GcraCell(Key, GcraRate.Create(7, TimeSpan.FromSeconds(3), 8), 0);
            Taken(cell, Second, one.Held);
            var charges = new (long Before, long After)[4];
            for (int i = 0; i < charges.Length; i++)
            {
                cell.TryTake(Second, out charges[i].Before, out charges[i].After, out _);
            }

            foreach (int i in one.Order)
            {
                cell.Refund(charges[i].Before, charges[i].After, Second, Second);
            }

            return Taken(cell, Second) == 8 - one.Held;
        }));
    }

    [TestCase(Second - 1, false)]
    [TestCase(Second, true)]
    [TestCase(Second + 1, true)]
    public void TryRetireIdle_OneCharge_FromTheMomentItIsPaid(long now, bool idle)
    {
        var cell = new GcraCell(Key, Rate, 0);
        Taken(cell, 0, 1);
        Assert.That(cell.TryRetireIdle(now), Is.EqualTo(idle));
        Assert.That(cell.IsRetired, Is.EqualTo(idle));
        Assert.That(cell.Peek(now, out _), Is.EqualTo(idle ? GcraOutcome.Retired : GcraOutcome.Admitted));
        Assert.That(cell.TryRetireIdle(now), Is.False, "once");
    }

    [Test]
    public void Successor_SameRate_GoesOnToTheUnit()
    {
        GcraRate thirds = GcraRate.Create(3, TimeSpan.FromSeconds(1), 3);
        var cell = new GcraCell(Key, thirds, 0);
        Taken(cell, 0, 2);
        cell.Retire();
        GcraCell next = cell.Successor(thirds, 1);
        next.TryTake(1, out long before, out _, out _);
        Assert.That(before, Is.EqualTo((2 * thirds.Interval) - 3));
    }

    [Test]
    public void Successor_AnotherRate_KeepsTheTimeUntilIdleAsFarAsTheRateCanOwe()
    {
        Gen<(int, long, int, int, long, long)> run =
            from permits in Gen.Choose(1, 60)
            from window in Gen.Elements(7L, 1_000L, 9_999_991L, Second, 60 * Second)
            from taken in Gen.Choose(1, 9)
            from permitsThen in Gen.Choose(1, 60)
            from windowThen in Gen.Elements(7L, 1_000L, 9_999_991L, Second, 60 * Second)
            from later in Gen.Choose(0, 1_000_000)
            select (permits, Math.Max(window, permits * 10), taken, permitsThen, Math.Max(windowThen, permitsThen * 10), (long)later);
        Check.One(Properties.Config(), Prop.ForAll(run.ToArbitrary(), one =>
        {
            var (permits, window, taken, permitsThen, windowThen, later) = one;
            var cell = new GcraCell(Key, GcraRate.Create(permits, TimeSpan.FromTicks(window), 9), 0);
            Taken(cell, 0, taken);
            cell.Retire();
            cell.Successor(GcraRate.Create(permitsThen, TimeSpan.FromTicks(windowThen), 1), later).Peek(later, out long wait);
            long idle = Math.Max(0, Ceiling(taken * window, permits) - later);
            return wait == Math.Min(idle, Ceiling(windowThen, permitsThen));
        }));
    }

    [Test]
    public void Successor_BetweenClocksOfOtherSteps_KeepsTheTimeUntilIdle()
    {
        GcraRate fine = GcraRate.Create(1, TimeSpan.FromDays(1), 1);
        var coarse = new GcraCell(Key, Coarse, 0, Coarse.Interval / 2);
        coarse.Retire();
        coarse.Successor(fine, 0).Peek(0, out long wait);
        Assert.That(wait, Is.EqualTo(TimeSpan.FromHours(12).Ticks));

        var day = new GcraCell(Key, fine, 0, fine.Interval);
        day.Retire();
        day.Successor(Coarse, 0).TryTake(0, out long before, out _, out _);
        Assert.That(before, Is.EqualTo(Coarse.Interval), "a day in steps of 8 ticks");
    }

    // A permit may come later than its exact moment by at most a step, and never earlier.
    [TestCase(1, 864_000_000_000L, 10_000_000)]
    [TestCase(7, 863_999_999_989L, 86_399_999_999L)]
    [TestCase(1, 863_999_999_989L, GcraRate.MaxBurst)]
    public void TryTake_ClockInCoarseSteps_NeverEarlierAndAtMostAStepLater(long permits, long window, long burst)
    {
        GcraRate rate = GcraRate.Create(permits, TimeSpan.FromTicks(window), burst);
        Assert.That(rate.StepShift, Is.Positive);
        var cell = new GcraCell(Key, rate, 0, rate.Tolerance);
        Assert.That(cell.TryTake(0, out _, out _, out _), Is.EqualTo(GcraOutcome.Admitted));
        Assert.That(cell.Peek(0, out long wait), Is.EqualTo(GcraOutcome.Denied));
        Assert.That(wait, Is.InRange(Ceiling(window, permits), Ceiling(window, permits) + (1L << rate.StepShift)));
        Assert.That(cell.Peek(wait - 1, out long rest), Is.EqualTo(GcraOutcome.Denied));
        Assert.That(rest, Is.EqualTo(1));
        Assert.That(cell.Peek(wait, out _), Is.EqualTo(GcraOutcome.Admitted));
    }

    private static long Ceiling(long a, long b) => (a + b - 1) / b;

    private static int Taken(GcraCell cell, long now, int most = 20)
    {
        int taken = 0;
        while (taken < most && cell.TryTake(now, out _, out _, out _) == GcraOutcome.Admitted)
        {
            taken++;
        }

        return taken;
    }

    /// <summary>The moment from which a key of <see cref="Rate"/>, counted from zero, is idle.</summary>
    private static long InUseUntil(GcraCell cell, long now)
    {
        cell.TryTake(now, out long until, out _, out _);
        return until;
    }
}
