using BenchmarkDotNet.Attributes;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Benchmarks.Reach;

/// <summary>One URL check against five entries, beside the parse that <see cref="Uri"/> makes of the same text.</summary>
[MemoryDiagnoser]
public class UrlCheckBenchmarks
{
    private static readonly UrlAllowlist Allowlist = UrlAllowlist.Create(
    [
        "https://a.example.com", "https://*.example.org", "https://api.example.com:8443/mcp", "http://localhost:3000", "https://mcp.example.com/v1",
    ]);

    [Benchmark]
    public bool WholeHost() => Allowlist.Check("https://a.example.com/mcp?session=1").IsAllowed;

    [Benchmark]
    public bool WithPath() => Allowlist.Check("https://mcp.example.com/v1/tools/list").IsAllowed;

    [Benchmark]
    public bool Loopback() => Allowlist.Check("http://localhost:3000/mcp").IsAllowed;

    [Benchmark]
    public bool OtherScript() => Allowlist.Check("https://b\u00FCcher.example.org/").IsAllowed;

    [Benchmark]
    public bool Denied() => Allowlist.Check("https://evil.example/").IsAllowed;

    [Benchmark(Baseline = true)]
    public string BareUri() => new Uri("https://mcp.example.com/v1/tools/list").IdnHost;
}
