using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

/// <summary>Schemas and instances made to hang, exhaust or fool a validator: those of the corpus, and larger ones of the same kinds.</summary>
[TestFixture]
internal sealed class HostileSchemaTests
{
    /// <summary>Above any honest machine's time for 200,000 steps, below what a hang would take.</summary>
    private const int TestTimeout = 60_000;

    private static IEnumerable<TestCaseData> Large()
    {
        string numbers = string.Join(',', Enumerable.Range(0, 100_000));
        string strings = string.Join(',', Enumerable.Range(0, 4_096).Select(i => $"\"value-{i:D6}\""));
        string letters = new('a', 1_000_000);
        string keys = string.Join(',', Enumerable.Range(0, 49_990).Select(i => $"\"k{i}\":1"));
        string open = string.Concat(Enumerable.Repeat("{\"a\":", 63));
        yield return Case("enum of 100,000 values", "{\"enum\":[" + numbers + "]}", "1", "reject", "Valid");
        yield return Case("enum at its limit", "{\"items\":{\"enum\":[" + strings + "]}}", "[" + strings + "]", "Valid");
        yield return Case("string of 1 MB", "{\"maxLength\":999999}", "\"" + letters + "\"", "Invalid");
        yield return Case("string of 1 MB, nested stars", "{\"pattern\":\"^(a+)+$\"}", "\"" + letters + "!\"", "Invalid", "LimitExceeded");
        yield return Case("string of 1 MB, many ways", "{\"pattern\":\"(a|aa|aaa|aaaa|a*b){1,100}c\"}", "\"" + letters + "\"", "Invalid", "LimitExceeded");
        yield return Case("string of 1 MB, look-ahead", "{\"pattern\":\"^(?=(a+)+$)b\"}", "\"" + letters + "\"", "LimitExceeded");
        yield return Case("back reference", "{\"pattern\":\"^(a*)*\\\\1(a*)*\\\\2b$\"}", "\"" + letters[..4_000] + "\"", "LimitExceeded", "Invalid");
        yield return Case("50,000 keys", "{\"additionalProperties\":{\"type\":\"integer\"}}", "{" + keys + "}", "Valid");
        yield return Case("50,000 keys, one twice", "{}", "{" + keys + ",\"k\\u0030\":1}", "MalformedText");
        yield return Case("50,000 keys, unevaluated", "{\"allOf\":[{\"properties\":{\"a\":true}}],\"unevaluatedProperties\":false}", "{" + keys + "}", "Invalid");
        yield return Case("50,000 keys as a constant", "{\"const\":{" + keys[..100_000].TrimEnd(',', ':', '"', 'k', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9') + "}}", "{" + keys + "}", "Invalid", "LimitExceeded", "reject");
        yield return Case("unique numbers", "{\"uniqueItems\":true}", "[" + string.Join(',', Enumerable.Range(0, 90_000)) + "]", "Valid", "LimitExceeded");
        yield return Case("unique equal numbers", "{\"uniqueItems\":true}", "[" + string.Join(',', Enumerable.Repeat("1e0", 90_000)) + "]", "Invalid");
        yield return Case("long numbers", "{\"items\":{\"multipleOf\":" + new string('7', 999) + "}}", "[" + string.Join(',', Enumerable.Repeat(new string('7', 999) + "e9999", 900)) + "]", "Valid", "LimitExceeded");
        yield return Case("deep instance", "{}", open + "1" + new string('}', 63), "Valid");
        yield return Case("too deep instance", "{}", open + open + "1" + new string('}', 126), "LimitExceeded");
        yield return Case("too deep text", "{}", new string('[', 900_000), "LimitExceeded");
        yield return Case("too deep schema", string.Concat(Enumerable.Repeat("{\"not\":", 65)) + "{}" + new string('}', 65), "1", "reject");
        yield return Case("too large schema", "{\"description\":\"" + new string('x', 256 * 1024) + "\"}", "1", "reject");
        yield return Case("too many schemas", "{\"allOf\":[" + string.Join(',', Enumerable.Repeat("{}", 4_097)) + "]}", "1", "reject");
        yield return Case("too many properties", "{\"properties\":{" + string.Join(',', Enumerable.Range(0, 1_025).Select(i => $"\"p{i}\":true")) + "}}", "{}", "reject");
        yield return Case("too many required", "{\"required\":[" + string.Join(',', Enumerable.Range(0, 3_000).Select(i => $"\"p{i}\"")) + "]}", "{}", "reject");
        yield return Case("too many patterns", "{\"patternProperties\":{" + string.Join(',', Enumerable.Range(0, 257).Select(i => $"\"a{i}\":true")) + "}}", "{}", "reject");
        yield return Case("too long a pattern", "{\"pattern\":\"" + new string('a', 2_049) + "\"}", "\"a\"", "reject");
        yield return Case("nested counts", "{\"pattern\":\"^((a{1,1000}){1,1000}){1,10}$\"}", "\"a\"", "reject");
        yield return Case("nested groups", "{\"pattern\":\"" + new string('(', 1_000) + new string(')', 1_000) + "\"}", "\"a\"", "reject");
        yield return Case("doubling through properties", Doubling(40), Nested("x", 40), "Valid", "LimitExceeded");
        yield return Case("doubling with unevaluated", Doubling(40).Replace("\"$ref\":\"#/$defs/a0\"", "\"$ref\":\"#/$defs/a0\",\"unevaluatedProperties\":false", StringComparison.Ordinal), Nested("x", 40), "Valid", "LimitExceeded", "Invalid");
        yield return Case("doubling, invalid, with errors", "{\"$ref\":\"#/$defs/a0\",\"$defs\":{" + string.Join(',', Enumerable.Range(0, 40).Select(i => $"\"a{i}\":{{\"allOf\":[{{\"$ref\":\"#/$defs/a{i + 1}\"}},{{\"$ref\":\"#/$defs/a{i + 1}\"}}]}}")) + ",\"a40\":{\"type\":\"integer\"}}}", "\"x\"", "Invalid");
        yield return Case("4,000 branches over a string of 1 MB", "{\"anyOf\":[" + string.Join(',', Enumerable.Range(0, 4_000).Select(i => "{\"enum\":[\"a\"],\"minLength\":" + (i + 300_000) + "}")) + "]}", "\"" + letters + "\"", "Invalid", "LimitExceeded");
        yield return Case("1,000 branches over equal long items", "{\"anyOf\":[" + string.Join(',', Enumerable.Range(0, 1_000).Select(_ => "{\"uniqueItems\":true}")) + "]}", "[" + string.Join(',', Enumerable.Range(0, 8).Select(i => "\"" + letters[..120_000] + i + "\"")) + "]", "Valid", "LimitExceeded");
        yield return Case("1,000 required, the last missing, 50,000 keys", "{\"required\":[" + string.Join(',', Enumerable.Range(0, 1_000).Select(i => $"\"k{i}\"")) + ",\"missing\"]}", "{" + keys + "}", "Invalid");
        yield return Case("references in a row", References(64), "1", "Valid");
        yield return Case("too many references in a row", References(66), "1", "reject");
        yield return Case("50,000 keys and 1,000 dependencies", "{\"dependentRequired\":{" + string.Join(',', Enumerable.Range(0, 1_000).Select(i => $"\"k{i}\":[\"k{i + 1}\"]")) + "}}", "{" + keys + "}", "Valid", "LimitExceeded");
        yield return Case("contains over many items", "{\"contains\":{\"contains\":{\"const\":1}}}", "[" + string.Join(',', Enumerable.Repeat("[" + string.Join(',', Enumerable.Repeat("2", 90)) + "]", 1_000)) + "]", "Invalid", "LimitExceeded");
    }

    private static TestCaseData Case(string name, string schema, string instance, params string[] allowed) =>
        new TestCaseData(schema, instance, allowed).SetName("Validate_Hostile_EndsWithinItsBounds(" + name + ")");

    private static string Doubling(int levels)
    {
        var text = new StringBuilder("{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
        for (int i = 0; i < levels; i++)
        {
            text.Append("\"a").Append(i).Append("\":{\"allOf\":[{\"properties\":{\"x\":{\"$ref\":\"#/$defs/a").Append(i + 1)
                .Append("\"}}},{\"properties\":{\"x\":{\"$ref\":\"#/$defs/a").Append(i + 1).Append("\"}}}]},");
        }

        return text.Append("\"a").Append(levels).Append("\":{\"type\":[\"object\",\"integer\"]}}}").ToString();
    }

    private static string Nested(string name, int levels) =>
        string.Concat(Enumerable.Repeat("{\"" + name + "\":", levels)) + "1" + new string('}', levels);

    private static string References(int count)
    {
        var text = new StringBuilder("{\"$ref\":\"#/$defs/a1\",\"$defs\":{");
        for (int i = 1; i < count; i++)
        {
            text.Append("\"a").Append(i).Append("\":{\"$ref\":\"#/$defs/a").Append(i + 1).Append("\"},");
        }

        return text.Append("\"a").Append(count).Append("\":{\"type\":\"integer\"}}}").ToString();
    }

    [TestCaseSource(nameof(Large))]
    [CancelAfter(TestTimeout)]
    public void Validate_Hostile_EndsWithinItsBounds(string schema, string instance, string[] allowed)
    {
        byte[] schemaText = Encoding.UTF8.GetBytes(schema);
        byte[] text = Encoding.UTF8.GetBytes(instance);
        long before = GC.GetAllocatedBytesForCurrentThread();
        JsonSchemaCompilation compilation = JsonSchemaCompiler.Compile(schemaText);
        string outcome = compilation.Program is { } program ? program.Validate(text, 5).Outcome.ToString() : "reject";
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allowed, Does.Contain(outcome), compilation.Rejection?.Message);

        // Tokens are sixteen bytes and the buffer doubles; everything else is smaller.
        Assert.That(allocated, Is.LessThan(64 * 1024 * 1024));
    }

    [Test]
    [CancelAfter(TestTimeout)]
    public void Validate_CorpusCases_GiveAnAllowedOutcome()
    {
        string folder = CorpusFile.RequireShared("schema-hostile");
        var failures = new List<string>();
        int cases = 0;
        foreach (string file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            byte[] schema = Bytes(root, "schemaText", "schemaBase64") ?? SchemaTestText.Raw(root.GetProperty("schema")).ToArray();
            byte[] instance = Bytes(root, "instanceText", "instanceBase64") ?? SchemaTestText.Raw(root.GetProperty("instance")).ToArray();
            McpSchemaKind kind = root.GetProperty("kind").GetString() switch
            {
                "inputSchema" => McpSchemaKind.InputSchema,
                "outputSchema" => McpSchemaKind.OutputSchema,
                _ => McpSchemaKind.Fragment,
            };
            string? version = root.TryGetProperty("mcpVersion", out JsonElement given) ? given.GetString() : null;
            string outcome = Outcome(schema, instance, kind, version, JsonSchemaOptions.Default);
            cases++;
            if (!root.GetProperty("allowed").EnumerateArray().Any(allowed => allowed.GetString() == outcome))
            {
                failures.Add($"{Path.GetFileName(file)}: {outcome}");
            }

            if (root.TryGetProperty("expectFormatAssertion", out JsonElement asserted)
                && Outcome(schema, instance, kind, version, new JsonSchemaOptions { AssertFormat = true }) != asserted.GetString())
            {
                failures.Add($"{Path.GetFileName(file)} with formats asserted");
            }
        }

        Assert.That(failures, Is.Empty);
        Assert.That(cases, Is.GreaterThanOrEqualTo(142));
    }

    private static string Outcome(byte[] schema, byte[] instance, McpSchemaKind kind, string? version, JsonSchemaOptions options)
    {
        JsonSchemaCompilation compilation = McpSchemaCompiler.Compile(schema, kind, version, options);
        return compilation.Program is not { } program ? "reject-schema" : program.Validate(instance).Outcome switch
        {
            JsonSchemaOutcome.Valid => "valid",
            JsonSchemaOutcome.Invalid => "invalid",
            JsonSchemaOutcome.MalformedText => "reject-text",
            _ => "limit",
        };
    }

    private static byte[]? Bytes(JsonElement root, string text, string base64) =>
        root.TryGetProperty(text, out JsonElement given) ? Encoding.UTF8.GetBytes(given.GetString()!)
        : root.TryGetProperty(base64, out given) ? Convert.FromBase64String(given.GetString()!)
        : null;
}
