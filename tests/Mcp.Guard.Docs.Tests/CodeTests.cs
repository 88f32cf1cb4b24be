using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mcp.Guard.Policy;
using Mcp.Guard.Tests;

namespace Mcp.Guard.Docs.Tests;

/// <summary>Code in README and docs is right: C# compiles, policies are read, commands name what is there.</summary>
[TestFixture]
internal sealed partial class CodeTests
{
    /// <summary>First keys of JSON that is no policy: configurations of MCP clients, lines of the explain verb and of the audit, messages.</summary>
    private static readonly string[] Others = ["mcpServers", "id", "seq", "jsonrpc"];

    private static IEnumerable<Fence[]> Programs
    {
        get
        {
            // The quick start of the README is one program in two blocks (.ci/consumer runs it).
            Fence[] all = [.. Fence.Of("csharp")];
            Fence[] quickStart = [.. all.Where(static fence => fence.Document == "README.md").Take(2)];
            return [.. quickStart.Length == 2 ? (Fence[][])[quickStart] : [], .. all.Except(quickStart).Select(static fence => (Fence[])[fence])];
        }
    }

    private static IEnumerable<TestCaseData> CSharp => Programs.Select(static fences => new TestCaseData([fences]).SetArgDisplayNames(fences[0].ToString()));

    private static IEnumerable<TestCaseData> Json => Fence.Of("json").Select(static fence => new TestCaseData(fence).SetArgDisplayNames(fence.ToString()));

    [TestCaseSource(nameof(CSharp))]
    public void CSharp_OfADocument_Compiles(Fence[] fences) => Assert.That(SnippetCompiler.Compile(fences).Errors, Is.Empty);

    [TestCaseSource(nameof(Json))]
    public void Json_OfADocument_IsAPolicyOrAPartOfOne(Fence fence)
    {
        string text = fence.Text.Trim();
        if (text.StartsWith('{') && JsonElement.Parse(text).EnumerateObject().FirstOrDefault() is { Value.ValueKind: not JsonValueKind.Undefined } first && Others.Contains(first.Name))
        {
            return;
        }

        string[] readings =
        [
            text,
            "{" + text + "}",
            "{\"servers\":{\"s\":{" + text + "}}}",
            "{\"servers\":{\"s\":{\"hostProvided\":true," + text + "}}}",
            "{\"servers\":{\"s\":{\"isolation\":{\"mode\":\"none\"}," + text + "}}}",
            "{\"servers\":{" + text + "}}",
        ];
        string[] faults = [.. readings.Select(Fault)];
        Assert.That(faults, Has.Some.Empty, string.Join('\n', faults));
    }

    [Test]
    public void SchemaAdapter_OfTheDocument_CompilesAndValidates()
    {
        Fence[] adapter = [.. Fence.Of("csharp").Where(static fence => fence.Document == "docs/json-schema.md")];
        Assert.That(adapter, Is.Not.Empty);
        (IReadOnlyList<string> errors, byte[]? assembly) = SnippetCompiler.Compile(adapter[0]);
        Assert.That(errors, Is.Empty);
        var context = new AssemblyLoadContext("adapter", isCollectible: true);
        try
        {
            Type type = context.LoadFromStream(new MemoryStream(assembly!)).GetTypes().Single(static candidate => typeof(ISchemaCompiler).IsAssignableFrom(candidate));
            var compiler = (ISchemaCompiler)Activator.CreateInstance(type)!;
            SchemaCompilation compiled = compiler.Compile("""{"type":"object","properties":{"n":{"type":"integer","maximum":3}},"required":["n"]}"""u8, new SchemaOptions { Use = SchemaUse.InputSchema });
            Assert.That(compiled.IsCompiled, Is.True, compiled.Rejection?.Message);
            Assert.Multiple(() =>
            {
                Assert.That(compiled.Schema!.Validate("""{"n":3}"""u8), Is.EqualTo(SchemaOutcome.Valid));
                Assert.That(compiled.Schema!.Validate("""{"n":4}"""u8), Is.EqualTo(SchemaOutcome.Invalid));
                Assert.That(compiled.Schema!.Validate(JsonElement.Parse("{}")), Is.EqualTo(SchemaOutcome.Invalid));
                Assert.That(compiled.Schema!.Validate("{"u8), Is.Not.EqualTo(SchemaOutcome.Valid));
                Assert.That(compiler.Compile("{"u8, new SchemaOptions()).IsCompiled, Is.False);
                SchemaCompilation reference = compiler.Compile("""{"$ref":"http://127.0.0.1/x"}"""u8, new SchemaOptions());
                Assert.That(reference.Schema?.Validate("{}"u8), Is.Not.EqualTo(SchemaOutcome.Valid), "nothing is fetched");
            });
        }
        finally
        {
            context.Unload();
        }
    }

    [Test]
    public void Commands_OfTheDocuments_NameProjectsAndScriptsThatExist()
    {
        string root = Checkout.Require();
        Assert.Multiple(() =>
        {
            foreach (Fence fence in Fence.Of("").Concat(Fence.Of("sh")))
            {
                foreach (Match match in Project().Matches(fence.Text))
                {
                    Assert.That(Path.Combine(root, match.Groups[1].Value), Does.Exist, fence.ToString());
                }
            }
        });
    }

    [Test]
    public void Readme_KeepsTheLengthsThatMakeItReadable()
    {
        Fence[] quickStart = [.. Fence.Of("csharp").Where(static fence => fence.Document == "README.md").Take(2)];
        string readme = Checkout.Read("README.md");
        string first = readme.Split("\n\n")[1];
        Assert.Multiple(() =>
        {
            Assert.That(quickStart[0].Text.Split('\n').Count(static line => line.Trim().Length > 0), Is.LessThanOrEqualTo(20), "a host in 20 lines");
            Assert.That(quickStart[1].Text.Split('\n').Count(static line => line.Trim().Length > 0), Is.LessThanOrEqualTo(15), "a consent provider in 15 lines");
            Assert.That(Sentence().Count(first), Is.EqualTo(3), "what it is, in three sentences");
        });
    }

    [Test]
    public void ThreatModel_NamesFoldersThatExist()
    {
        string root = Checkout.Require();
        string[][] rows = Checkout.Table("docs/threat-model.md", "# Threat model: what the guard cannot see");
        Assert.That(rows, Has.Length.GreaterThan(4));
        Assert.Multiple(() =>
        {
            foreach (string[] row in rows)
            {
                string[] folders = [.. Folder().Matches(row[3]).Select(static match => match.Groups[1].Value)];
                Assert.That(folders, Is.Not.Empty.And.All.Matches<string>(folder => Directory.Exists(Path.Combine(root, "src", "Mcp.Guard", folder!))), row[0]);
            }
        });
    }

    private static string Fault(string json)
    {
        try
        {
            PolicyReader.Read(Encoding.UTF8.GetBytes(json), null, AnySchema.Instance, new PolicyReadOptions { StateDirectory = "/var/lib/mcp-guard-docs" });
            return string.Empty;
        }
        catch (McpGuardPolicyException exception)
        {
            return exception.Message;
        }
    }

    [GeneratedRegex(@"(?:--project |^)((?:samples|bench|tests|src|\.ci)/[\w./-]+)", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Project();

    [GeneratedRegex(@"[.?!](?: |$)", RegexOptions.CultureInvariant)]
    private static partial Regex Sentence();

    [GeneratedRegex("`([A-Z][A-Za-z/]+)`", RegexOptions.CultureInvariant)]
    private static partial Regex Folder();
}
