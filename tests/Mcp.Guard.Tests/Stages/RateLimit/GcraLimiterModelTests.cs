using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.RateLimit;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.RateLimit;

/// <summary>Random limits, arrivals and jumps of the clock: the limiter must agree with <see cref="ReferenceBucket"/> on every call and every wait.</summary>
[TestFixture]
internal sealed class GcraLimiterModelTests
{
    private static readonly int Cases = Environment.GetEnvironmentVariable("MCP_GUARD_LONG") == "1" ? 100_000 : 2_000;

    private static readonly long[] Windows =
        [1, 7, 10, 1_000, 9_999_991, 10_000_000, 600_000_000, 36_000_000_000, 863_999_999_989, 864_000_000_000];

    private sealed record Limit(long Permits, long Window, long Burst);

    /// <summary>Steps: how many 100 ns pass, and how often each limit is then charged alone; -1 charges all.</summary>
    private sealed record Step(long Elapsed, int Which, int Calls);

    [Test]
    public void Acquire_RandomArrivals_AgreesWithReference()
    {
        Gen<Limit> limit =
            from window in Gen.Elements(Windows)
            from permits in Gen.Frequency(
                (3, Gen.Choose(1, 10).Select(p => (long)p)),
                (2, Gen.Choose(1, 1_000_000).Select(p => (long)p)))
            from burst in Gen.Frequency((3, Gen.Constant(0L)), (2, Gen.Choose(1, 20).Select(b => (long)b)))
            select new Limit(Math.Max(1, Math.Min(permits, window / 10)), Math.Max(window, 10), burst == 0 ? Math.Max(1, Math.Min(permits, window / 10)) : burst);
        Gen<Step> step =
            from scale in Gen.Choose(0, 14)
            from mantissa in Gen.Choose(0, 99)
            from which in Gen.Choose(-1, 2)
            from calls in Gen.Choose(1, 12)
            select new Step(mantissa * (long)Math.Pow(10, scale) / 100, which, calls);
        Gen<(Limit[] Limits, Step[] Steps)> scenario =
            from limits in limit.ArrayOf(3)
            from steps in step.NonEmptyListOf()
            select (limits, steps.ToArray());
        Prop.ForAll(scenario.ToArbitrary(), run => Agrees(run.Limits, run.Steps))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(Cases).WithReplay(20261122, 7));
    }

    private static bool Agrees(Limit[] limits, Step[] steps)
    {
        var time = new FakeTimeProvider();
        var limiter = new GcraLimiter(new WallClockIsNotTime(time));
        ReferenceBucket[] model = [.. limits.Select(l => new ReferenceBucket(l.Permits, TimeSpan.FromTicks(l.Window), l.Burst))];
        RateLimitCharge[] charges = [.. limits.Select((l, i) => new RateLimitCharge(new RateLimitKey($"limit {i}", null, null, "user", null), l.Permits, TimeSpan.FromTicks(l.Window), l.Burst))];
        if (limits.Any(l => (Int128)l.Burst * l.Window > 1L << 60))
        {
            return true;
        }

        long now = 0;
        foreach (Step step in steps)
        {
            now += step.Elapsed;
            time.Advance(TimeSpan.FromTicks(step.Elapsed));
            for (int call = 0; call < step.Calls; call++)
            {
                int[] which = step.Which < 0 ? [0, 1, 2] : [step.Which];
                RateLimitLease lease = limiter.Acquire([.. which.Select(i => charges[i])]);
                long wait = which.Max(i => model[i].WaitAt(now));
                if (lease.IsAdmitted != (wait == 0))
                {
                    throw new AssertionException($"at {now}: {lease}, the reference waits {wait}");
                }

                if (wait == 0)
                {
                    Array.ForEach(which, i => model[i].TryTake(now, out _));
                }
                else if (lease.RetryAfter != TimeSpan.FromTicks(wait))
                {
                    throw new AssertionException($"at {now}: told to wait {lease.RetryAfter}, the reference waits {wait}");
                }
            }
        }

        return true;
    }

    /// <summary>A source whose wall clock must not be read.</summary>
    private sealed class WallClockIsNotTime(TimeProvider inner) : TimeProvider
    {
        public override long TimestampFrequency => inner.TimestampFrequency;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => throw new AssertionException("the limiter read the wall clock");
    }
}
