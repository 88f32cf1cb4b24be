using BenchmarkDotNet.Attributes;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Benchmarks.Reach;

/// <summary>
/// One path check by its text alone, and with the file system asked for links; beside that the bare calls of the class library that a host
/// without the guard would make.
/// </summary>
[MemoryDiagnoser]
public class PathCheckBenchmarks
{
    private string _folder = string.Empty;
    private string _existing = string.Empty;
    private string _new = string.Empty;
    private string _linked = string.Empty;
    private RootSet _text = null!;
    private RootSet _disk = null!;

    [GlobalSetup]
    public void Setup()
    {
        _folder = Directory.CreateTempSubdirectory("mcp-guard-bench-").FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "src", "app"));
        _existing = Path.Combine(_folder, "src", "app", "main.cs");
        _new = Path.Combine(_folder, "src", "app", "new.cs");
        _linked = Path.Combine(_folder, "link", "main.cs");
        File.WriteAllText(_existing, "x");
        File.CreateSymbolicLink(Path.Combine(_folder, "link"), "src/app");
        _text = RootSet.Create([new GuardRoot("/srv/project")], PathFlavor.Unix, links: null);
        _disk = RootSet.Create([new GuardRoot(_folder)], PathFlavor.Unix);
        if (!_disk.Check(_existing).IsAllowed || !_disk.Check(_linked).IsAllowed || !_text.Check("src/app/main.cs").IsAllowed)
        {
            throw new InvalidOperationException("the benchmark measures allowed paths");
        }
    }

    [GlobalCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [Benchmark]
    public bool TextAbsolute() => _text.Check("/srv/project/src/app/main.cs").IsAllowed;

    [Benchmark]
    public bool TextRelative() => _text.Check("src/app/main.cs").IsAllowed;

    [Benchmark]
    public bool TextWithBlank() => _text.Check("docs/my file.txt").IsAllowed;

    [Benchmark]
    public bool TextDenied() => _text.Check("../../etc/passwd").IsAllowed;

    [Benchmark]
    public bool TextEncodedDenied() => _text.Check("%2e%2e/%2e%2e/etc/passwd").IsAllowed;

    [Benchmark]
    public bool DiskExisting() => _disk.Check(_existing).IsAllowed;

    [Benchmark]
    public bool DiskNew() => _disk.Check(_new).IsAllowed;

    [Benchmark]
    public bool DiskThroughLink() => _disk.Check(_linked).IsAllowed;

    [Benchmark(Baseline = true)]
    public bool BareFileExists() => File.Exists(_existing);
}
