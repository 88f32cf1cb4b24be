using BenchmarkDotNet.Attributes;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;
using Mcp.Guard.Tests.Stages.ResultSanitizing;

namespace Mcp.Guard.Benchmarks.Content;

/// <summary>One million characters of one hostile piece after another: each has to stay under 100 ms.</summary>
[MemoryDiagnoser]
public class HostileTextBenchmarks
{
    private string text = string.Empty;

    /// <summary>The pieces of the content tests; <see cref="ContentSpeed"/> runs them in a minute.</summary>
    [ParamsSource(nameof(Pieces))]
    public string Piece { get; set; } = "";

    public static IEnumerable<string> Pieces => HostileKinds.Pieces;

    [GlobalSetup]
    public void Fill() => text = ContentTexts.Repeat(Piece, 1_000_000);

    [Benchmark]
    public string Sanitize() => TextSanitizer.Default.Sanitize(text, TextSurface.Result).Text;

    [Benchmark]
    public string Redact() => SecretRedactor.Default.Redact(text);
}
