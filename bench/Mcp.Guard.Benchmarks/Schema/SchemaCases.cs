using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Benchmarks.Schema;

/// <summary>
/// <c>schema-cases CASES.json</c>: the real tools' cases of bench-ajv, timed as its bench.cjs times them (median of seven rounds, geometric
/// mean over the cases), so that both can be run in the same minute and compared.
/// </summary>
internal static class SchemaCases
{
    public static int Run(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        var columns = new SortedDictionary<string, List<double>>(StringComparer.Ordinal);
        foreach (JsonElement tool in document.RootElement.EnumerateArray())
        {
            Measure(tool, columns);
        }

        foreach ((string name, List<double> values) in columns)
        {
            double mean = Math.Exp(values.Sum(Math.Log) / values.Count);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-40} {mean,10:F1} ns (geometric mean of {values.Count}, worst {values.Max():F0})"));
        }

        return 0;
    }

    /// <summary><c>schema-tools FOLDER</c>: compiles every schema of the real tools, first cold, then warm, and tells what 2,704 of that kind take.</summary>
    public static int Tools(string folder)
    {
        var schemas = new List<byte[]>();
        foreach (string file in Directory.EnumerateFiles(folder, "*.json"))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement tool in document.RootElement.GetProperty("tools").EnumerateArray())
            {
                foreach (string name in new[] { "inputSchema", "outputSchema" })
                {
                    if (tool.TryGetProperty(name, out JsonElement schema))
                    {
                        schemas.Add(JsonSerializer.SerializeToUtf8Bytes(schema));
                    }
                }
            }
        }

        int refused = 0;
        for (int round = 0; round < 5; round++)
        {
            long started = Stopwatch.GetTimestamp();
            foreach (byte[] schema in schemas)
            {
                refused += JsonSchemaCompiler.Compile(schema).Program is null ? 1 : 0;
            }

            double ms = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}: {schemas.Count} schemas in {ms:F1} ms, 2,704 in {ms * 2_704 / schemas.Count:F1} ms"));
        }

        return refused == 0 ? 0 : 1;
    }

    private static void Measure(JsonElement tool, SortedDictionary<string, List<double>> columns)
    {
        byte[] schemaText = JsonSerializer.SerializeToUtf8Bytes(tool.GetProperty("schema"));
        if (!JsonSchemaCompiler.Compile(schemaText).TryGetProgram(out JsonSchemaProgram? program, out JsonSchemaRejection? rejection))
        {
            throw new InvalidOperationException(rejection.Message);
        }

        bool hasPattern = tool.GetProperty("schema").GetRawText().Contains("\"pattern\"", StringComparison.Ordinal);
        Add(columns, hasPattern ? "compile, with patterns" : "compile, without patterns", () => JsonSchemaCompiler.Compile(schemaText).Program is not null);
        NJsonSchema.JsonSchema njson = NJsonSchema.JsonSchema.FromJsonAsync(tool.GetProperty("schema").GetRawText()).GetAwaiter().GetResult();
        foreach ((string kind, bool expected) in new[] { ("valid", true), ("invalid", false) })
        {
            foreach (JsonElement instance in tool.GetProperty(kind).EnumerateArray())
            {
                byte[] text = JsonSerializer.SerializeToUtf8Bytes(instance);
                using JsonDocument parsed = JsonDocument.Parse(text);
                JsonElement element = parsed.RootElement;
                if (program.Validate(text).IsValid != expected || program.Validate(element).IsValid != expected)
                {
                    throw new InvalidOperationException($"wrong answer for {tool.GetProperty("tool").GetString()}");
                }

                if (Environment.GetEnvironmentVariable("SCHEMA_MIN") is not null)
                {
                    var t2 = new JsonTape();
                    double p = Time(() => StrictJsonParser.Parse(text, JsonSchemaOptions.Default.InstanceLimits, t2) == JsonTextFault.None);
                    double v = Time(() => program.Validate(text).IsValid);
                    Console.WriteLine($"{tool.GetProperty("tool").GetString(),-30} {kind,-8} bytes {text.Length,5} tokens {t2.Count,3} parse {p,6:F0} validate {v - p,6:F0} parse/token {p / t2.Count:F1} v/token {(v - p) / t2.Count:F1}");
                }

                Add(columns, kind + ", JsonElement", () => program.Validate(element).IsValid);
                Add(columns, kind + ", UTF-8", () => program.Validate(text).IsValid);
                var tape = new JsonTape();
                Add(columns, kind + ", strict parse alone", () => StrictJsonParser.Parse(text, JsonSchemaOptions.Default.InstanceLimits, tape) == JsonTextFault.None);
                Add(columns, kind + ", JsonDocument.Parse alone", () =>
                {
                    using JsonDocument again = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
                    return again.RootElement.ValueKind == JsonValueKind.Object;
                });
                string njsonText = instance.GetRawText();
                Add(columns, kind + ", NJsonSchema from text", () => njson.Validate(njsonText).Count == 0);
                if (expected)
                {
                    long before = GC.GetAllocatedBytesForCurrentThread();
                    for (int i = 0; i < 1_000; i++)
                    {
                        program.Validate(text);
                        program.Validate(element);
                    }

                    long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
                    if (bytes != 0)
                    {
                        Console.WriteLine($"{tool.GetProperty("tool").GetString()}: {bytes / 2_000} bytes allocated a validation");
                    }
                }
            }
        }
    }

    private static void Add(SortedDictionary<string, List<double>> columns, string name, Func<bool> run)
    {
        if (!columns.TryGetValue(name, out List<double>? values))
        {
            columns[name] = values = [];
        }

        values.Add(Time(run));
    }

    private static double Time(Func<bool> run)
    {
        int n = 1;
        while (true)
        {
            long started = Stopwatch.GetTimestamp();
            for (int i = 0; i < n; i++)
            {
                run();
            }

            if (Stopwatch.GetElapsedTime(started).TotalMilliseconds > 5)
            {
                break;
            }

            n *= 2;
        }

        // Tiered compilation swaps code in the background: give it time before measuring.
        Thread.Sleep(120);
        var rounds = new double[7];
        for (int round = 0; round < rounds.Length; round++)
        {
            long started = Stopwatch.GetTimestamp();
            long count = 0;
            do
            {
                for (int i = 0; i < n; i++)
                {
                    run();
                }

                count += n;
            }
            while (Stopwatch.GetElapsedTime(started).TotalMilliseconds < 15);
            rounds[round] = Stopwatch.GetElapsedTime(started).TotalNanoseconds / count;
        }

        Array.Sort(rounds);
        return Environment.GetEnvironmentVariable("SCHEMA_MIN") is null ? rounds[3] : rounds[0];
    }
}
