using System.Text;
using BenchmarkDotNet.Attributes;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Benchmarks.Content;

/// <summary>Sanitising and redacting clean texts of 64 Ki characters: throughput is 65,536 characters over the mean.</summary>
[MemoryDiagnoser]
public class ContentBenchmarks
{
    private const int Length = 64 * 1024;

    private readonly Dictionary<string, string> texts = new(StringComparer.Ordinal)
    {
        ["prose"] = Fill("The tool reads a file from an allowed directory and returns its content as text; paths are relative to the project. "
            + "It fails when the file is larger than ten megabytes, or when the caller may not read it.\n"),
        ["json"] = Fill("{\"id\": 1042, \"name\": \"report.txt\", \"size\": 20480, \"tags\": [\"a\", \"b\"], \"modified\": \"2026-11-22T10:00:00Z\", \"owner\": \"anna\"},\n"),
        ["mixed"] = Fill("Żółć i gęś; 中文說明文字，日本語のテキスト。 Привет мир! עברית שלום, हिन्दी पाठ, می\u200cخواهم, 한국어 문장 👩‍👩‍👧 done. "),
    };

    [Params("prose", "json", "mixed")]
    public string Text { get; set; } = "prose";

    [Benchmark]
    public string SanitizeResult() => TextSanitizer.Default.Sanitize(texts[Text], TextSurface.Result).Text;

    [Benchmark]
    public string Redact() => SecretRedactor.Default.Redact(texts[Text]);

    private static string Fill(string part)
    {
        var text = new StringBuilder(Length + part.Length);
        while (text.Length < Length)
        {
            text.Append(part);
        }

        return text.ToString();
    }
}
