using System.Text.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

/// <summary>The JSON Schema Test Suite: required sets, optional sets, and formats with assertion on.</summary>
[TestFixture]
internal sealed class JsonSchemaSuiteTests
{
    private const string Folder = "json-schema-test-suite";

    /// <summary>Content keywords are annotations in every dialect here: a validator that decodes what a server names is one more parser to attack.</summary>
    private static readonly HashSet<string> AnnotationOnly = new(StringComparer.Ordinal) { "draft7/optional/content.json" };

    [TestCase("draft2020-12", 1299)]
    [TestCase("draft2019-09", 1259)]
    [TestCase("draft7", 927)]
    [TestCase("draft6", 839)]
    [TestCase("draft4", 618)]
    public void Validate_RequiredSet_AgreesWithEveryTest(string dialect, int least)
    {
        (int passed, List<string> failures) = Run(dialect, "", SearchOption.TopDirectoryOnly, false);
        Assert.That(failures, Is.Empty);
        Assert.That(passed, Is.GreaterThanOrEqualTo(least));
    }

    [TestCase("draft2020-12", 162)]
    [TestCase("draft2019-09", 158)]
    [TestCase("draft7", 101)]
    [TestCase("draft6", 106)]
    [TestCase("draft4", 100)]
    public void Validate_OptionalSet_AgreesExceptContent(string dialect, int least)
    {
        (int passed, List<string> failures) = Run(dialect, "optional", SearchOption.TopDirectoryOnly, false);
        Assert.That(failures, Is.Empty);
        Assert.That(passed, Is.GreaterThanOrEqualTo(least));
    }

    [TestCase("draft2020-12", 764)]
    [TestCase("draft2019-09", 757)]
    [TestCase("draft7", 676)]
    [TestCase("draft6", 325)]
    [TestCase("draft4", 219)]
    public void Validate_FormatsAsserted_AgreesWithEveryTest(string dialect, int least)
    {
        (int passed, List<string> failures) = Run(dialect, "optional/format", SearchOption.AllDirectories, true);
        Assert.That(failures, Is.Empty);
        Assert.That(passed, Is.GreaterThanOrEqualTo(least));
    }

    private static (int Passed, List<string> Failures) Run(string dialect, string under, SearchOption depth, bool assertFormat)
    {
        string suite = CorpusFile.RequireShared(Folder);
        Dictionary<string, ReadOnlyMemory<byte>> remotes = Remotes(suite);
        var options = new JsonSchemaOptions { DefaultDialect = DialectUri(dialect), AssertFormat = assertFormat, Resources = remotes };
        var failures = new List<string>();
        int passed = 0;
        foreach (string file in Directory.EnumerateFiles(Path.Combine(suite, "tests", dialect, under), "*.json", depth).Order(StringComparer.Ordinal))
        {
            if (AnnotationOnly.Contains($"{dialect}/{under}/{Path.GetFileName(file)}"))
            {
                continue;
            }

            using JsonDocument groups = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement group in groups.RootElement.EnumerateArray())
            {
                JsonSchemaCompilation compilation = JsonSchemaCompiler.Compile(SchemaTestText.Raw(group.GetProperty("schema")), options);
                foreach (JsonElement test in group.GetProperty("tests").EnumerateArray())
                {
                    bool expected = test.GetProperty("valid").GetBoolean();
                    JsonElement data = test.GetProperty("data");
                    JsonSchemaOutcome outcome = compilation.Program?.Validate(data).Outcome ?? JsonSchemaOutcome.None;
                    if (outcome == (expected ? JsonSchemaOutcome.Valid : JsonSchemaOutcome.Invalid) && CollectingAgrees(compilation.Program!, data, outcome))
                    {
                        passed++;
                    }
                    else
                    {
                        failures.Add($"{Path.GetFileName(file)}: {group.GetProperty("description")}: {test.GetProperty("description")}: {outcome} {compilation.Rejection}");
                    }
                }
            }
        }

        return (passed, failures);
    }

    /// <summary>The pass that collects errors must find some exactly where the fast one says invalid, and the long way must say what the short one says.</summary>
    private static bool CollectingAgrees(JsonSchemaProgram program, JsonElement data, JsonSchemaOutcome outcome)
    {
        JsonSchemaResult collected = program.Validate(data, 1_000);
        return collected.Outcome == outcome && collected.Errors.Count > 0 == (outcome == JsonSchemaOutcome.Invalid)
            && program.ValidateInTwoSteps(SchemaTestText.Raw(data)).Outcome == outcome;
    }

    private static Dictionary<string, ReadOnlyMemory<byte>> Remotes(string suite)
    {
        string folder = Path.Combine(suite, "remotes");
        var remotes = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories))
        {
            remotes["http://localhost:1234/" + Path.GetRelativePath(folder, file).Replace('\\', '/')] = File.ReadAllBytes(file);
        }

        return remotes;
    }

    private static string DialectUri(string dialect) => dialect switch
    {
        "draft2020-12" => "https://json-schema.org/draft/2020-12/schema",
        "draft2019-09" => "https://json-schema.org/draft/2019-09/schema",
        "draft7" => "http://json-schema.org/draft-07/schema#",
        "draft6" => "http://json-schema.org/draft-06/schema#",
        _ => "http://json-schema.org/draft-04/schema#",
    };
}
