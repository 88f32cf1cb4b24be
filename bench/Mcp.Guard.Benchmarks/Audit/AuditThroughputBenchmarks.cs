using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;

namespace Mcp.Guard.Benchmarks.Audit;

/// <summary>Many callers at once: a million records of 16 writers who wait for each, and 64 writers who share synchronisations, beside one synchronisation per record.</summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 1, iterationCount: 3)]
public class AuditThroughputBenchmarks
{
    private const int Million = 1_000_000;
    private const int DurableRecords = 20_000;
    private const int Singles = 1_000;

    private readonly byte[] _line = new byte[900];
    private AuditBenchmarkLog? _log;

    [IterationSetup(Target = nameof(Flushed16Writers))]
    public void StartFlushed() => Start(AuditDurability.Flushed, keyed: false);

    [IterationSetup(Target = nameof(FlushedWithKey16Writers))]
    public void StartKeyed() => Start(AuditDurability.Flushed, keyed: true);

    [IterationSetup(Target = nameof(Flushed16WritersInBursts))]
    public void StartBursts() => Start(AuditDurability.Flushed, keyed: false);

    [IterationSetup(Targets = [nameof(Durable64Callers), nameof(SyncPerRecord)])]
    public void StartDurable() => Start(AuditDurability.Durable, keyed: false);

    [IterationCleanup]
    public void Stop() => _log!.Dispose();

    [Benchmark(OperationsPerInvoke = Million)]
    public Task Flushed16Writers() => _log!.WriteAsync(16, Million / 16);

    [Benchmark(OperationsPerInvoke = Million)]
    public Task FlushedWithKey16Writers() => _log!.WriteAsync(16, Million / 16);

    /// <summary>Sixteen writers with up to 64 records under way each, as sessions with parallel calls have.</summary>
    [Benchmark(OperationsPerInvoke = Million)]
    public Task Flushed16WritersInBursts() => _log!.WriteAsync(16 * 64, Million / (16 * 64));

    [Benchmark(OperationsPerInvoke = DurableRecords)]
    public Task Durable64Callers() => _log!.WriteAsync(64, DurableRecords / 64);

    [Benchmark(OperationsPerInvoke = Singles)]
    public void SyncPerRecord()
    {
        string path = Path.GetTempFileName();
        using (var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0))
        {
            for (int i = 0; i < Singles; i++)
            {
                RandomAccess.Write(file.SafeFileHandle, _line, i * (long)_line.Length);
                RandomAccess.FlushToDisk(file.SafeFileHandle);
            }
        }

        File.Delete(path);
    }

    private void Start(AuditDurability durability, bool keyed)
    {
        _log = new();
        _log.Start(durability, keyed);
    }
}
