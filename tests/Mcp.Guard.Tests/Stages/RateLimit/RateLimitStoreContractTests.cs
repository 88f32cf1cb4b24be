using System.Threading.RateLimiting;
using Mcp.Guard.Stages.RateLimit;
using Mcp.Guard.Testing;
using Microsoft.Extensions.Time.Testing;
using BclLease = System.Threading.RateLimiting.RateLimitLease;

namespace Mcp.Guard.Tests.Stages.RateLimit;

[TestFixture]
internal sealed class RateLimitStoreContractTests
{
    [TestCaseSource(typeof(RateLimitStoreContract), nameof(RateLimitStoreContract.Cases))]
    public Task Contract_InMemoryStore_Holds(string name) => new InMemory().RunAsync(name);

    [TestCaseSource(typeof(RateLimitStoreContract), nameof(RateLimitStoreContract.Cases))]
    public Task Contract_PartitionedRateLimiterAdapter_Holds(string name) => new Adapter().RunAsync(name);

    [TestCase("a-burst-is-admitted-and-no-more")]
    [TestCase("zero-permits-deny-everything")]
    [TestCase("several-limits-are-charged-together-or-not-at-all")]
    [TestCase("parallel-calls-pass-exactly-the-limit")]
    public void Contract_StoreThatAdmitsEverything_IsFound(string name) =>
        Assert.That(async () => await new Careless().RunAsync(name), Throws.InstanceOf<ContractException>());

    [Test]
    public async Task Acquire_TokenBucketOfTheFramework_CountsByKey()
    {
        await using PartitionedRateLimiter<RateLimitCharge> buckets = PartitionedRateLimiter.Create<RateLimitCharge, RateLimitKey>(charge =>
            RateLimitPartition.GetTokenBucketLimiter(charge.Key, _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = (int)charge.Burst,
                TokensPerPeriod = (int)charge.Permits,
                ReplenishmentPeriod = charge.Window,
                AutoReplenishment = false,
            }));
        var store = new PartitionedRateLimitStore(buckets);
        RateLimitCharge[] one = [GcraLimiterTests.Charge("a", 2, TimeSpan.FromDays(1))];
        RateLimitCharge[] other = [GcraLimiterTests.Charge("b", 2, TimeSpan.FromDays(1))];
        Assert.That((await store.AcquireAsync(one, default)).IsAdmitted, Is.True);
        Assert.That((await store.AcquireAsync(one, default)).IsAdmitted, Is.True);
        RateLimitLease refusal = await store.AcquireAsync(one, default);
        Assert.That(refusal.IsAdmitted, Is.False);
        Assert.That(refusal.RetryAfter, Is.Not.Null);
        Assert.That((await store.AcquireAsync(other, default)).IsAdmitted, Is.True);
    }

    private sealed class InMemory : RateLimitStoreContract
    {
        private readonly FakeTimeProvider _time = new();

        protected override ValueTask<IRateLimitStore> CreateAsync() => new(new InMemoryRateLimitStore(_time));

        protected override ValueTask AdvanceAsync(TimeSpan time)
        {
            _time.Advance(time);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Adapter : RateLimitStoreContract
    {
        private readonly FakeTimeProvider _time = new();

        protected override ValueTask<IRateLimitStore> CreateAsync() =>
            new(new PartitionedRateLimitStore(PartitionedRateLimiter.Create<RateLimitCharge, RateLimitKey>(
                charge => RateLimitPartition.Get(charge.Key, _ => new BucketLimiter(charge, _time)))));

        protected override ValueTask AdvanceAsync(TimeSpan time)
        {
            _time.Advance(time);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Careless : RateLimitStoreContract
    {
        protected override ValueTask<IRateLimitStore> CreateAsync() => new(new Everything());

        protected override ValueTask AdvanceAsync(TimeSpan time) => ValueTask.CompletedTask;

        private sealed class Everything : IRateLimitStore
        {
            public ValueTask<RateLimitLease> AcquireAsync(ReadOnlyMemory<RateLimitCharge> charges, CancellationToken ct) => new(new RateLimitLease(true, null, null));
        }
    }

    /// <summary>A limiter of a host's own, on a fake clock.</summary>
    private sealed class BucketLimiter(RateLimitCharge charge, FakeTimeProvider time) : RateLimiter
    {
        private readonly Lock _lock = new();
        private readonly ReferenceBucket _bucket = new(charge.Permits, charge.Window, charge.Burst);
        private readonly long _start = time.GetTimestamp();

        public override TimeSpan? IdleDuration => null;

        public override RateLimiterStatistics GetStatistics()
        {
            lock (_lock)
            {
                return new RateLimiterStatistics { CurrentAvailablePermits = _bucket.WaitAt(time.GetTimestamp() - _start) == 0 ? 1 : 0 };
            }
        }

        protected override BclLease AttemptAcquireCore(int permitCount)
        {
            lock (_lock)
            {
                return _bucket.TryTake(time.GetTimestamp() - _start, out long wait) ? new Lease(null) : new Lease(TimeSpan.FromTicks(wait));
            }
        }

        protected override ValueTask<BclLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken) => new(AttemptAcquireCore(permitCount));

        private sealed class Lease(TimeSpan? wait) : BclLease
        {
            public override bool IsAcquired => wait is null;

            public override IEnumerable<string> MetadataNames => [MetadataName.RetryAfter.Name];

            public override bool TryGetMetadata(string metadataName, out object? metadata)
            {
                metadata = wait;
                return wait is not null && metadataName == MetadataName.RetryAfter.Name;
            }
        }
    }
}
