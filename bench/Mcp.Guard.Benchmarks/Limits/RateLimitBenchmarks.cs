using BenchmarkDotNet.Attributes;
using Mcp.Guard.Stages.RateLimit;

namespace Mcp.Guard.Benchmarks.Limits;

/// <summary>One rate check of a known key, with so many keys in the limiter: always the same key, and every key in turn (which the processor's caches feel).</summary>
[MemoryDiagnoser]
public class RateLimitBenchmarks
{
    private const int Calls = 1_000_000;

    private GcraLimiter _limiter = null!;
    private RateLimitCharge[] _charges = null!;
    private RateLimitCharge[] _pair = null!;
    private int _next;

    [Params(1, 1_000, 100_000, 1_000_000)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _limiter = new GcraLimiter(TimeProvider.System, maxKeys: 1_000_001);
        _charges = new RateLimitCharge[Keys];
        for (int i = 0; i < Keys; i++)
        {
            // Each charge keeps its key busy for five seconds, so that a round over all keys finds none idle and gone; the burst is more than a run can use.
            _charges[i] = new RateLimitCharge(new RateLimitKey("per-caller", null, null, $"user-{i:D8}", null), 1, TimeSpan.FromSeconds(5), 900_000_000);
            _limiter.Acquire(in _charges[i]);
        }

        _pair = [_charges[0], _charges[0] with { Key = _charges[0].Key with { LimitId = "second" } }];
        _limiter.Acquire(_pair);
    }

    [Benchmark(Baseline = true)]
    public bool SameKey() => _limiter.Acquire(in _charges[0]).IsAdmitted;

    [Benchmark]
    public bool EveryKeyInTurn()
    {
        _next = _next + 1 < Keys ? _next + 1 : 0;
        return _limiter.Acquire(in _charges[_next]).IsAdmitted;
    }

    [Benchmark]
    public bool TwoLimits() => _limiter.Acquire(_pair).IsAdmitted;

    [Benchmark(OperationsPerInvoke = Calls)]
    public void OneThread() => Run(0);

    /// <summary>Twice the calls of <see cref="OneThread"/>, on two threads and different keys: the same time would be a factor of two.</summary>
    [Benchmark(OperationsPerInvoke = 2 * Calls)]
    public void TwoThreads()
    {
        var other = new Thread(() => Run(Keys - 1));
        other.Start();
        Run(0);
        other.Join();
    }

    private void Run(int key)
    {
        RateLimitCharge charge = _charges[key];
        for (int i = 0; i < Calls; i++)
        {
            _limiter.Acquire(in charge);
        }
    }
}
