using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;
using Mcp.Guard.Tests.Stages.ResultSanitizing;

namespace Mcp.Guard.Benchmarks.Content;

/// <summary>
/// Throughput of sanitiser and redactor on clean texts, beside a plain vectorised scan of the same text in the same run, and the slowest of many hostile
/// texts of one million characters. Least of several rounds: on a busy machine only that says something about the work.
/// </summary>
internal static class ContentSpeed
{
    private const int CleanLength = 64 * 1024;
    private const int HostileLength = 1_000_000;

    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(600);

    public static int Run()
    {
        Console.WriteLine("| clean text | operation | M characters/s | MB/s as UTF-8 | against a plain scan | allocated |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach ((string name, string piece) in ContentTexts.Clean)
        {
            string text = ContentTexts.Repeat(piece, CleanLength);
            double scan = Least(() => text.AsSpan().ContainsAnyInRange('\uFFF0', '\uFFFF') ? 1 : 0, 2000, out _);
            Row(name, "sanitise, result", text, scan, () => ReferenceEquals(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Text, text) ? 1 : 0);
            JsonElement result = ResultOf(text);
            Row(name, "sanitise, result as JSON", text, scan, () => JsonSanitizer.Default.Sanitize(result, TextSurface.Result, ContentPlace.Result).Utf8 is null ? 1 : 0);
            Row(name, "sanitise, description", text, scan, () => ReferenceEquals(TextSanitizer.Default.Sanitize(text, TextSurface.Description).Text, text) ? 1 : 0);
            Row(name, "redact", text, scan, () => ReferenceEquals(SecretRedactor.Default.Redact(text), text) ? 1 : 0);
        }

        var slow = new List<(double Milliseconds, string What)>();
        foreach ((string shown, string start, string piece) in HostileKinds.All)
        {
            string text = HostileKinds.Repeat(start, piece, HostileLength);
            foreach (TextSurface surface in (TextSurface[])[TextSurface.Result, TextSurface.Description])
            {
                slow.Add((1000 * Least(() => TextSanitizer.Default.Sanitize(text, surface).Text.Length, 2, out _), $"sanitise {surface}: {shown}"));
            }

            slow.Add((1000 * Least(() => SecretRedactor.Default.Redact(text).Length, 2, out _), $"redact: {shown}"));
        }

        slow.Sort((a, b) => b.Milliseconds.CompareTo(a.Milliseconds));
        Console.WriteLine();
        Console.WriteLine("| ms for 1,000,000 characters | of |");
        Console.WriteLine("|---|---|");
        foreach ((double milliseconds, string what) in slow.Take(30))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {milliseconds:0.0} | `{what}` |"));
        }

        return 0;
    }

    /// <summary>A tool result with one text, as most servers write it: nothing escaped but what must be.</summary>
    private static JsonElement ResultOf(string text)
    {
        var result = new JsonObject { ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text }) };
        return JsonElement.Parse(result.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    private static void Row(string name, string operation, string text, double scan, Func<int> work)
    {
        double seconds = Least(work, 300, out long allocated);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {operation} | {text.Length / seconds / 1e6:0} | {Encoding.UTF8.GetByteCount(text) / seconds / 1e6:0} | {seconds / scan:0.0} times | {allocated} B |"));
    }

    private static double Least(Func<int> work, int rounds, out long allocated)
    {
        // The compiler optimises in the background some time after the first calls; until then the code is slow and makes objects that it does not make later.
        long warm = Stopwatch.GetTimestamp();
        do
        {
            work();
        }
        while (Stopwatch.GetElapsedTime(warm) < WarmUp);

        double least = double.MaxValue;
        allocated = long.MaxValue;
        for (int i = 0; i < rounds; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            work();
            least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalSeconds);
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
