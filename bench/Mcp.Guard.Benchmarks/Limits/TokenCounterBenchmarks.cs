using BenchmarkDotNet.Attributes;
using Mcp.Guard.Stages.PromptLimit;

namespace Mcp.Guard.Benchmarks.Limits;

/// <summary>The built-in upper bound over about 8,000 characters of English.</summary>
[MemoryDiagnoser]
public class TokenCounterBenchmarks
{
    private readonly string _english = string.Concat(Enumerable.Repeat("All human beings are born free and equal in dignity and rights. They are endowed with reason. ", 85));

    [Benchmark]
    public int UpperBound() => ConservativeTokenCounter.Instance.Count(_english);
}
