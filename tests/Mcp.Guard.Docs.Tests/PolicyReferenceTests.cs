using System.Text.Json;
using Mcp.Guard.Tests;

namespace Mcp.Guard.Docs.Tests;

/// <summary>The policy reference says what the schema says.</summary>
[TestFixture]
internal sealed class PolicyReferenceTests
{
    [Test]
    public void PolicyReference_IsWhatTheSchemaGives()
    {
        string file = Path.Combine(Checkout.Require(), "docs", "policy-reference.md");
        using JsonDocument schema = JsonDocument.Parse(Checkout.Read("docs/mcp-guard.schema.json"));
        string expected = PolicyReference.Write(schema.RootElement);
        if (Environment.GetEnvironmentVariable("MCP_GUARD_WRITE_DOCS") == "1")
        {
            File.WriteAllText(file, expected);
        }

        Assert.That(File.ReadAllText(file).ReplaceLineEndings("\n"), Is.EqualTo(expected), "run it again with MCP_GUARD_WRITE_DOCS=1");
    }
}
