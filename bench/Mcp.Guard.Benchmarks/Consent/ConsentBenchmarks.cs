using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.ToolPinning;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mcp.Guard.Benchmarks.Consent;

/// <summary>What consent adds to a call that a grant covers (at most 1 us, 256 B), and what its parts cost.</summary>
[MemoryDiagnoser]
public class ConsentBenchmarks : IDisposable
{
    private static readonly byte[] Arguments =
        """{"path":"/srv/project/src/readme.md","recursive":false,"limit":100,"pattern":"*.md","note":"five arguments"}"""u8.ToArray();

    private readonly JsonDocument _arguments = JsonDocument.Parse(Arguments);
    private readonly JsonDocument _tool = JsonDocument.Parse(
        """{"name":"delete_file","description":"Deletes a file.","inputSchema":{"type":"object","properties":{"path":{"type":"string","description":"The file."}},"required":["path"]},"annotations":{"destructiveHint":true}}""");

    private ConsentService _service = null!;
    private BenchmarkSubject _subject = null!;

    [GlobalSetup]
    public void Setup()
    {
        var store = new InMemoryConsentStore(TimeProvider.System);
        _service = new ConsentService(store, new NobodyAsked(), new NothingRecorded(), new ConsentOptions(), TimeProvider.System, NullLogger.Instance);
        _subject = new BenchmarkSubject(_arguments.RootElement);
        store.Add(new ConsentGrant
        {
            GrantId = "g1",
            Binding = ConsentService.BindingOf(_subject, _subject.ArgumentsDigest!),
            ExpiresAt = DateTimeOffset.MaxValue,
        });
        if (!GrantInPlace())
        {
            throw new InvalidOperationException("The grant does not cover the call.");
        }
    }

    [Benchmark]
    public bool GrantInPlace() => _service.DecideAsync(_subject, CancellationToken.None).Result.IsAllowed;

    [Benchmark]
    public int ArgumentsDigestAlone() => (int)ArgumentsDigest.TryCompute(_arguments.RootElement, out _);

    [Benchmark]
    public int AdmissionAlone() => (int)JsonAdmission.Check(Arguments, JsonLimits.Message);

    [Benchmark]
    public int FingerprintOfTool() => (int)ToolFingerprint.TryOfTool(_tool.RootElement, out _);

    [GlobalCleanup]
    public void Dispose()
    {
        _arguments.Dispose();
        _tool.Dispose();
        GC.SuppressFinalize(this);
    }
}
