using BenchmarkDotNet.Attributes;
using Mcp.Guard.Policy;
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
    private readonly ProtectedPaths _own = new([
        new ProtectedPath("/etc/acme/mcp-guard.json", IsDirectory: false, "policy"), new ProtectedPath("/var/lib/acme/mcp-audit", IsDirectory: true, "audit"),
        new ProtectedPath("/var/lib/acme/state", IsDirectory: true, "state")]);

    private readonly UnixLinkReader _reader = new();

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

    /// <summary>What the stage does for one path: the check, and whether the file is one of the guard's under a second name.</summary>
    [Benchmark]
    public bool DiskExistingAsInTheStage()
    {
        PathVerdict verdict = _disk.Check(_existing);
        return verdict.IsAllowed && !_own.IsProtected(verdict.Normalized!) && !_own.IsSecondName(verdict.Normalized!);
    }

    /// <summary>The one system call of the check, alone.</summary>
    [Benchmark]
    public bool BareOpenAt2() => _reader.IsFreeOfLinks(_existing);

    /// <summary>The further system call of the stage, alone.</summary>
    [Benchmark]
    public bool BareStat() => FileIdentity.TryRead(_existing, out _, out _);

    [Benchmark]
    public bool DiskThroughLink() => _disk.Check(_linked).IsAllowed;

    [Benchmark(Baseline = true)]
    public bool BareFileExists() => File.Exists(_existing);
}
