using System.Text.RegularExpressions;

namespace Mcp.Guard.Tests.Docs;

/// <summary>What the documents point at is there.</summary>
[TestFixture]
internal sealed partial class LinkTests
{
    private static readonly string? Root = Checkout.Root;

    private static IEnumerable<string> Documents => Root is null
        ? []
        : new[] { "*.md", "docs/*.md", "bench/*.md" }
            .SelectMany(pattern => Directory.EnumerateFiles(Path.Combine(Root, Path.GetDirectoryName(pattern)!), Path.GetFileName(pattern)))
            .Select(file => Path.GetRelativePath(Root, file))
            .Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Documents))]
    public void RelativeLinks_OfADocument_LeadToAFileAndItsHeading(string document)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Root!, document))!;
        Assert.Multiple(() =>
        {
            foreach (string link in Link().Matches(File.ReadAllText(Path.Combine(Root!, document))).Select(static match => match.Groups[1].Value))
            {
                if (link.Contains("://", StringComparison.Ordinal))
                {
                    continue;
                }

                string[] parts = link.Split('#', 2);
                string target = parts[0].Length == 0 ? Path.Combine(Root!, document) : Path.GetFullPath(Path.Combine(folder, parts[0]));
                bool exists = File.Exists(target) || Directory.Exists(target);
                Assert.That(exists, Is.True, $"{document}: {link}");
                if (exists && parts.Length == 2)
                {
                    Assert.That(Heading().Matches(File.ReadAllText(target)).Select(static match => AnchorOf(match.Groups[1].Value)), Does.Contain(parts[1]), $"{document}: {link}");
                }
            }
        });
    }

    [Test]
    public void ThreatTable_OfTheReadme_NamesFoldersOfTheSourceAndTheTestsThatProveIt()
    {
        if (Root is null)
        {
            Assert.Ignore("runs in a checkout only");
        }

        string[][] rows = Checkout.Table("README.md", "## Threats and where they are stopped");
        Assert.That(rows, Has.Length.GreaterThanOrEqualTo(5));
        Assert.Multiple(() =>
        {
            foreach (string[] row in rows)
            {
                Assert.That(row, Has.Length.EqualTo(4));
                string[] folders = [.. Code().Matches(row[2]).Select(static match => match.Groups[1].Value)];
                string[] tests = [.. Code().Matches(row[3]).Select(static match => match.Groups[1].Value)];
                Assert.That(folders, Is.Not.Empty, row[0]);
                Assert.That(tests, Is.Not.Empty, row[0]);
                foreach (string folder in folders)
                {
                    Assert.That(Path.Combine(Root!, "src", "Mcp.Guard", folder), Does.Exist);
                }

                foreach (string test in tests)
                {
                    string file = Path.Combine(Root!, "tests", "Mcp.Guard.Tests", test + ".cs");
                    Assert.That(file, Does.Exist);
                    Assert.That(File.ReadAllText(file), Does.Contain("[Test").And.Contain("class " + Path.GetFileName(test)), "a name of a fixture with tests");
                }
            }
        });
    }

    /// <summary>As code hosts make them: lower case, blanks as hyphens, everything else but letters, digits, hyphens and underscores left out.</summary>
    private static string AnchorOf(string heading) =>
        string.Concat(heading.Trim().ToLowerInvariant().Where(static c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_').Select(static c => c == ' ' ? '-' : c));

    [GeneratedRegex(@"\]\(([^)\s]+)\)", RegexOptions.CultureInvariant)]
    private static partial Regex Link();

    [GeneratedRegex(@"^#{1,6} (.+)$", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("`([^`]+)`", RegexOptions.CultureInvariant)]
    private static partial Regex Code();
}
