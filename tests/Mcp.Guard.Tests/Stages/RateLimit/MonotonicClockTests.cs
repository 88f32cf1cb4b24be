using Mcp.Guard.Stages.RateLimit;

namespace Mcp.Guard.Tests.Stages.RateLimit;

/// <summary>Steps of 100 ns since the clock was made, whatever the source counts in.</summary>
[TestFixture]
internal sealed class MonotonicClockTests
{
    [TestCase(1_000_000_000, 1_999, 19)]
    [TestCase(1_000_000_000, 2_000, 20)]
    [TestCase(10_000_000, 12_345, 12_345)]
    [TestCase(3, 1, 3_333_333)]
    [TestCase(3, 3, 10_000_000)]
    [TestCase(19_200_000, 19_199_999, 9_999_999)]
    [TestCase(1, long.MaxValue - 500, long.MaxValue)]
    [TestCase(1_000_000_000, -7, 0)]
    [TestCase(3, -7, 0)]
    public void Now_SourceOfAnyFrequency_IsElapsedTimeRoundedDown(long frequency, long passed, long steps)
    {
        var source = new Counter(frequency) { Count = 500 };
        var clock = new MonotonicClock(source);
        Assert.That(clock.Now, Is.Zero);
        source.Count += passed;
        Assert.That(clock.Now, Is.EqualTo(steps));
    }

    private sealed class Counter(long frequency) : TimeProvider
    {
        public long Count { get; set; }

        public override long TimestampFrequency => frequency;

        public override long GetTimestamp() => Count;
    }
}
