using BenchmarkDotNet.Attributes;

namespace Mcp.Guard.Benchmarks.Audit;

/// <summary>One caller who waits for each record, beside the bare write and the bare synchronisation of as many bytes.</summary>
[MemoryDiagnoser]
public class AuditRoundTripBenchmarks
{
    private readonly byte[] _line = new byte[900];
    private AuditBenchmarkLog? _flushed;
    private AuditBenchmarkLog? _durable;
    private FileStream? _file;
    private string? _path;
    private long _offset;

    [GlobalSetup]
    public void Setup()
    {
        _flushed = new();
        _flushed.Start(AuditDurability.Flushed);
        _durable = new();
        _durable.Start(AuditDurability.Durable);
        _path = Path.GetTempFileName();
        _file = new FileStream(_path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _flushed!.Dispose();
        _durable!.Dispose();
        _file!.Dispose();
        File.Delete(_path!);
    }

    [Benchmark(Baseline = true)]
    public void BareWrite()
    {
        RandomAccess.Write(_file!.SafeFileHandle, _line, _offset);
        _offset += _line.Length;
    }

    [Benchmark]
    public void BareWriteAndSync()
    {
        BareWrite();
        RandomAccess.FlushToDisk(_file!.SafeFileHandle);
    }

    [Benchmark]
    public async Task Flushed() => await _flushed!.Sink!.WriteAsync(_flushed.Record, CancellationToken.None);

    [Benchmark]
    public async Task Durable() => await _durable!.Sink!.WriteAsync(_durable.Record, CancellationToken.None);
}
