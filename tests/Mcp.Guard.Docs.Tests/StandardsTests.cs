using System.Text.RegularExpressions;
using Mcp.Guard.Tests;

namespace Mcp.Guard.Docs.Tests;

/// <summary>The mapping to OWASP and MCP names folders and tests that are there, and leaves no entry of the lists out.</summary>
[TestFixture]
internal sealed partial class StandardsTests
{
    private static readonly string[] Mcp = [.. Enumerable.Range(1, 10).Select(static i => $"MCP{i:00}")];

    private static readonly string[] Agentic = [.. Enumerable.Range(1, 17).Select(static i => $"T{i}")];

    [Test]
    public void Lists_AreWhole()
    {
        Assert.That(Checkout.Table("docs/standards.md", "## OWASP MCP Top 10 (2025, beta)").Select(static row => row[0].Split(' ')[0]), Is.EqualTo(Mcp));
        Assert.That(Checkout.Table("docs/standards.md", "## OWASP Agentic AI: threats and mitigations (v1.1, T1 to T17)").Select(static row => row[0].Split(' ')[0]), Is.EqualTo(Agentic));
    }

    [Test]
    public void Rows_NameFoldersAndTestsThatExist()
    {
        string root = Checkout.Require();
        string[][] rows =
        [
            .. Checkout.Table("docs/standards.md", "## OWASP MCP Top 10 (2025, beta)"),
            .. Checkout.Table("docs/standards.md", "## OWASP Agentic AI: threats and mitigations (v1.1, T1 to T17)"),
            .. Checkout.Table("docs/standards.md", "## MCP: security sections of the specification (2025-11-25)"),
        ];
        Assert.Multiple(() =>
        {
            foreach (string[] row in rows)
            {
                string[] folders = [.. Code().Matches(row[2]).Select(static match => match.Groups[1].Value)];
                Assert.That(folders, Is.Not.Empty, row[0]);
                foreach (string folder in folders)
                {
                    Assert.That(Path.Combine(root, "src", "Mcp.Guard", folder), Does.Exist, row[0]);
                }

                foreach (string test in row.Length > 3 ? Code().Matches(row[3]).Select(static match => match.Groups[1].Value) : [])
                {
                    string path = Path.Combine(root, "tests", "Mcp.Guard.Tests", test);
                    Assert.That(Directory.Exists(path) || File.Exists(path + ".cs"), Is.True, $"{row[0]}: {test}");
                }
            }
        });
    }

    [GeneratedRegex("`([A-Z][A-Za-z/]+)`", RegexOptions.CultureInvariant)]
    private static partial Regex Code();
}
