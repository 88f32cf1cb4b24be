using BenchmarkDotNet.Attributes;

namespace Mcp.Guard.Benchmarks.Audit;

/// <summary>What a record costs the caller: the queue alone, and the whole way to the file and back.</summary>
[MemoryDiagnoser]
public class AuditEnqueueBenchmarks
{
    private const int Count = 4_096;

    private readonly ValueTask[] _writes = new ValueTask[Count];
    private AuditBenchmarkLog? _log;

    [Params(AuditDurability.Flushed, AuditDurability.BestEffort)]
    public AuditDurability Durability { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _log = new();
        _log.Start(Durability);
    }

    [GlobalCleanup]
    public void Cleanup() => _log!.Dispose();

    [IterationCleanup]
    public void Drain()
    {
        foreach (ValueTask write in _writes)
        {
            write.AsTask().GetAwaiter().GetResult();
        }

        Array.Clear(_writes);
        _log!.Sink!.WriteAsync(_log.Record, CancellationToken.None).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Only the call: the writer's thread works beside it.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Enqueue()
    {
        for (int i = 0; i < _writes.Length; i++)
        {
            _writes[i] = _log!.Sink!.WriteAsync(_log.Record, CancellationToken.None);
        }
    }
}
