using Mcp.Guard.Tests;

namespace Mcp.Guard.Docs.Tests;

/// <summary>The story of docs/cli.md is the recording of the script that tells it; that its outputs are true, .ci/run sees.</summary>
[TestFixture]
internal sealed class StoryTests
{
    private const string Step = "  run ";

    [Test]
    public void Story_Commands_AreThoseOfItsScript()
    {
        string page = Checkout.Read("docs/cli.md");
        string[] told = page[page.IndexOf("<!-- story -->", StringComparison.Ordinal)..page.IndexOf("<!-- end of story -->", StringComparison.Ordinal)].Split('\n');
        string[] run =
        [
            .. Checkout.Read("tests/cli-story/run.sh").Split('\n').Where(static line => line.StartsWith(Step, StringComparison.Ordinal)).Select(static line => line[Step.Length] == '\''
                ? line[(Step.Length + 1)..^1]
                : line[(Step.Length + 1)..^1].Replace("\\\"", "\"", StringComparison.Ordinal).Replace("$PWD", "/home/ada/policy", StringComparison.Ordinal).Replace("$work/", "/home/ada/", StringComparison.Ordinal)),
        ];
        Assert.That(run, Has.Length.GreaterThan(10));
        Assert.That(told.Where(static line => line.StartsWith("$ ", StringComparison.Ordinal)).Select(static line => line[2..]), Is.EqualTo(run));
        foreach (string part in (string[])["init --package @modelcontextprotocol/server-filesystem", "mcp-guard check", "mcp-inspector-cli", "sdk-client once", "[path-outside-roots]", "[consent-denied]", "audit verify", "valid: every record is in order", "mcp-guard replay", "newly passes"])
        {
            Assert.That(told, Has.Some.Contains(part));
        }
    }
}
