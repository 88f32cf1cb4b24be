using BenchmarkDotNet.Attributes;
using Mcp.Guard.Isolation;

namespace Mcp.Guard.Benchmarks.Isolation;

/// <summary>One message of 1 KB there and back over standard input and output, without a box and in one.</summary>
[SimpleJob(warmupCount: 3, iterationCount: 20)]
[MemoryDiagnoser]
[MinColumn, MedianColumn]
public class CallBenchmarks
{
    private readonly byte[] _line = [.. Enumerable.Repeat((byte)'x', 1023), (byte)'\n'];
    private readonly byte[] _buffer = new byte[2048];
    private ServerProcess? _none;
    private ServerProcess? _boxed;

    [GlobalSetup]
    public async Task Setup()
    {
        _none = await BoxedProgram.StartAsync(BoxedProgram.Plan(IsolationMode.None));
        _boxed = await BoxedProgram.StartAsync(BoxedProgram.Plan(IsolationMode.Bubblewrap));
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        await _none!.DisposeAsync();
        await _boxed!.DisposeAsync();
    }

    [Benchmark(Baseline = true)]
    public Task None() => BoxedProgram.RoundTripAsync(_none!.Input, _none.Output, _line, _buffer);

    [Benchmark]
    public Task Bubblewrap() => BoxedProgram.RoundTripAsync(_boxed!.Input, _boxed.Output, _line, _buffer);
}
