using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Tests.Stages.Roots;

/// <summary>Every case of corpus/paths.json, by id and flavour.</summary>
[TestFixture]
internal sealed class PathCorpusTests
{
    private static readonly JsonDocument Corpus = CorpusFile.Open("paths.json");
    private RootsFixture? _fixture;

    public static IEnumerable<TestCaseData> Cases()
    {
        foreach (JsonElement item in Corpus.RootElement.GetProperty("cases").EnumerateArray())
        {
            string os = item.GetProperty("os").GetString()!;
            foreach (string flavor in os == "any" ? ["unix", "windows"] : new[] { os })
            {
                yield return new TestCaseData(item, flavor).SetArgDisplayNames(item.GetProperty("id").GetString()!, flavor);
            }
        }
    }

    [OneTimeSetUp]
    public void BuildFixture() => _fixture = OperatingSystem.IsWindows() ? null : new RootsFixture(Corpus.RootElement.GetProperty("fixture"));

    [OneTimeTearDown]
    public void RemoveFixture() => _fixture?.Dispose();

    [TestCaseSource(nameof(Cases))]
    public void Check_CorpusCase_DecidesAsStated(JsonElement item, string flavor)
    {
        bool windows = flavor == "windows";
        if (item.GetProperty("needsFs").GetBoolean() && _fixture is null)
        {
            Assert.Ignore("the fixture's links are those of Unix");
        }

        RootSet roots = RootSet.Create(
            item.GetProperty("roots").EnumerateArray().Select(root => new GuardRoot(Fill(JsonText.GetString(root)))).ToArray(),
            windows ? PathFlavor.Windows : PathFlavor.Unix);
        PathVerdict verdict = roots.Check(
            Fill(JsonText.GetString(item.GetProperty("input"))),
            item.GetProperty("kind").GetString() == "path" ? RootInputKind.Path : RootInputKind.FileUri,
            item.TryGetProperty("base", out JsonElement from) ? Fill(from.GetString()!) : null);

        Assert.That(verdict.IsAllowed, Is.EqualTo(item.GetProperty("expect").GetString() == "allow"), verdict.Message);
        if (verdict.IsAllowed && item.TryGetProperty("normalized", out JsonElement normalized))
        {
            string expected = Fill(JsonText.GetString(normalized));
            bool any = item.GetProperty("os").GetString() == "any";
            Assert.That(verdict.Normalized, Is.EqualTo(any && windows ? expected.Replace('/', '\\') : expected));
        }

        if (!verdict.IsAllowed)
        {
            Assert.That(verdict.Code, Is.EqualTo("path-outside-roots"));
            Assert.That(verdict.Message, Is.Not.Empty);
        }

        string Fill(string text) => (_fixture?.Substitute(text) ?? text)
            .Replace("${ROOT}", windows ? @"C:\srv\project" : "/srv/project", StringComparison.Ordinal);
    }
}
