using System.Text;
using BenchmarkDotNet.Attributes;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Benchmarks.Content;

/// <summary>One million characters of one hostile piece after another: each has to stay under 100 ms.</summary>
[MemoryDiagnoser]
public class HostileTextBenchmarks
{
    private string text = string.Empty;

    [Params("\u200b", "\u001b]", "\u009d", "<a \"", "<img src=//a.b>", "![x](//a.b)", "[", "src=https:", "password=aaaaaaa1b ", "token: abc1 ", "://a@")]
    public string Piece { get; set; } = "";

    [GlobalSetup]
    public void Fill() => text = new StringBuilder().Insert(0, Piece, 1_000_000 / Piece.Length).ToString();

    [Benchmark]
    public string Sanitize() => TextSanitizer.Default.Sanitize(text, TextSurface.Result).Text;

    [Benchmark]
    public string Redact() => SecretRedactor.Default.Redact(text);
}
