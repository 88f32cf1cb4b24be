using System.Text.Json;
using System.Text.RegularExpressions;

namespace Mcp.Guard.Tests.House;

/// <summary>A reader finds the control for a threat by its folder: every stage folder has options or a reason for none, a page and tests, and the table says where.</summary>
[TestFixture]
internal sealed partial class StageFolderTests
{
    private static readonly string[][] Rows = Checkout.Root is null ? [] : Checkout.Table("docs/architecture.md", "## Where each control lies");

    private static IEnumerable<TestCaseData> Folders => Rows.Select(static row => new TestCaseData([row]).SetArgDisplayNames(row[0]));

    [Test]
    public void Table_HasEveryStageFolderOnce()
    {
        string stages = Path.Combine(Checkout.Require(), "src", "Mcp.Guard", "Stages");
        string[] folders = [.. Directory.EnumerateDirectories(stages).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];
        Assert.That(Rows.Select(static row => row[0].Trim('`')), Is.EqualTo(folders));
        Assert.That(Directory.EnumerateFiles(stages), Is.Empty, "a stage lies in a folder of its own");
    }

    [TestCaseSource(nameof(Folders))]
    public void StageFolder_HasOptionsPageAndTests(string[] row)
    {
        string root = Checkout.Require();
        Assert.Multiple(() =>
        {
            Assert.That(row, Has.Length.EqualTo(5));
            Assert.That(row[1], Is.Not.Empty, "what it stops");
            string[] keys = [.. Code().Matches(row[2]).Select(static match => match.Groups[1].Value)];
            if (keys.Length == 0)
            {
                Assert.That(row[2], Does.Match("^none: .{10,}"), "no options need a reason");
            }

            Assert.That(keys, Is.SubsetOf(PolicyKeys()), "options are keys of the policy");
            Match link = Link().Match(row[3]);
            Assert.That(Path.Combine(root, "docs", link.Groups[1].Value), Does.Exist);
            string tests = Path.Combine(root, "tests", "Mcp.Guard.Tests", Code().Match(row[4]).Groups[1].Value);
            Assert.That(Directory.EnumerateFiles(tests, "*Tests.cs", SearchOption.AllDirectories), Is.Not.Empty);
        });
    }

    [TestCaseSource(nameof(Folders))]
    public void StageFolder_HoldsTheStageAndNothingOfOtherStages(string[] row)
    {
        string folder = row[0].Trim('`');
        string path = "src/Mcp.Guard/Stages/" + folder;
        Assert.Multiple(() =>
        {
            foreach (string file in Checkout.Sources(path))
            {
                Match declared = Namespace().Match(Checkout.Read(file));

                // Public contracts stand in the root namespace, so that a host needs one using.
                Assert.That(declared.Groups[1].Value, Is.EqualTo("Mcp.Guard").Or.StartsWith("Mcp.Guard.Stages." + folder), file);
            }
        });
    }

    private static HashSet<string> PolicyKeys()
    {
        using JsonDocument schema = JsonDocument.Parse(Checkout.Read("docs/mcp-guard.schema.json"));
        return [.. schema.RootElement.GetProperty("$defs").EnumerateObject()
            .Where(static item => item.Value.TryGetProperty("properties", out _))
            .SelectMany(static item => item.Value.GetProperty("properties").EnumerateObject().Select(static property => property.Name))];
    }

    [GeneratedRegex("`([^`]+)`", RegexOptions.CultureInvariant)]
    private static partial Regex Code();

    [GeneratedRegex(@"\]\(([^)#]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Link();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
