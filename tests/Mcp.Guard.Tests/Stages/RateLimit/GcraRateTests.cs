using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.RateLimit;

namespace Mcp.Guard.Tests.Stages.RateLimit;

[TestFixture]
internal sealed class GcraRateTests
{
    [TestCase(1, 10, 1, null)]
    [TestCase(1, 9, 1, "calls a second")]
    [TestCase(0, 1, 1, null)]
    [TestCase(0, 0, 1, "window")]
    [TestCase(0, -1, 1, "window")]
    [TestCase(1, 864_000_000_000L, 1, null)]
    [TestCase(1, 864_000_000_001L, 1, "one day")]
    [TestCase(1_000_000, 10_000_000L, 1, null)]
    [TestCase(1_000_001, 10_000_000L, 1, "1,000,000 calls a second")]
    [TestCase(-1, 10_000_000L, 1, "calls a second")]
    [TestCase(1, 10_000_000L, GcraRate.MaxBurst, null)]
    [TestCase(1, 10_000_000L, GcraRate.MaxBurst + 1, "burst must be 1 to 86400000000")]
    [TestCase(1, 10_000_000L, 0, "burst")]
    public void Validate_Rate_NamesWhatIsOutOfRange(long permits, long window, long burst, string? fault)
    {
        Assert.That(GcraRate.Validate(permits, TimeSpan.FromTicks(window), burst), fault is null ? Is.Null : Does.Contain(fault));
        if (fault is not null)
        {
            Assert.That(() => GcraRate.Create(permits, TimeSpan.FromTicks(window), burst), Throws.ArgumentException.With.Message.Contains(fault));
        }
    }

    [Test]
    public void Create_ZeroPermits_Throws() =>
        Assert.That(() => GcraRate.Create(0, TimeSpan.FromSeconds(1), 1), Throws.ArgumentException.With.Message.Contains("zero permits"));

    // Every state of a key fits 60 bits, in the finest steps in which it does.
    [Test]
    public void Create_AnyRate_FitsTheWordInTheFinestSteps()
    {
        Gen<(long, long, long)> rates =
            from permits in Gen.Frequency((1, Gen.Choose(1, 20).Select(p => (long)p)), (1, Gen.Choose(1, 1_000_000).Select(p => (long)p)))
            from window in Gen.Elements(10_000_000L, 9_999_991L, 1L << 30, (1L << 30) - 1, 863_999_999_989L, 864_000_000_000L)
            from burst in Gen.Elements(1L, 2L, 1_000L, 1L << 20, (1L << 30) - 1, 1L << 30, GcraRate.MaxBurst)
            select (Math.Min(permits, window / 10), window, burst);
        Check.One(Properties.Config(), Prop.ForAll(rates.ToArbitrary(), one =>
        {
            var (permits, window, burst) = one;
            GcraRate rate = GcraRate.Create(permits, TimeSpan.FromTicks(window), burst);
            long divisor = (long)System.Numerics.BigInteger.GreatestCommonDivisor(permits, window);
            return rate.UnitsPerStep == permits / divisor
                && rate.Interval == IntervalAt(window / divisor, rate.StepShift)
                && (Int128)burst * rate.Interval < (Int128)1 << 60
                && (rate.StepShift == 0 || (Int128)burst * IntervalAt(window / divisor, rate.StepShift - 1) >= (Int128)1 << 60)
                && rate.Tolerance == (burst - 1) * rate.Interval;
        }));
    }

    [TestCase((1L << 30) - 1, 0)]
    [TestCase(1L << 30, 1)]
    public void Create_StateOfExactly60Bits_TakesTheNextStep(long window, int shift) =>
        Assert.That(GcraRate.Create(1, TimeSpan.FromTicks(window), 1L << 30).StepShift, Is.EqualTo(shift));

    private static long IntervalAt(long interval, int shift) => (long)(((Int128)interval + ((Int128)1 << shift) - 1) >> shift);
}
