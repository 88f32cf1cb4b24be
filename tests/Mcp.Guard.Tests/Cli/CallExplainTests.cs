using System.Text.Json;
using Mcp.Guard.Cli.Explain;

namespace Mcp.Guard.Tests.Cli;

/// <summary>Explaining a call by a policy file leaves nothing behind: what is shown to it is not pinned.</summary>
internal sealed class CallExplainTests
{
    [Test]
    public void Answer_PolicyFile_PinsNothingAndWritesNothing()
    {
        using var folder = new TemporaryFolder();
        string policy = folder.File("policy.json");
        File.WriteAllText(policy, """
            { "stateDirectory": "state", "servers": { "files": { "url": "https://mcp.example.com/v1", "rules": { "r": { "tools": ["read_*"], "effect": "allow" } } } } }
            """);
        Assert.Multiple(() =>
        {
            Assert.That(Decide(policy, "one"), Is.EqualTo("allow"));
            Assert.That(Decide(policy, "two"), Is.EqualTo("allow"), "the first definition was not pinned");
            Assert.That(Directory.EnumerateFiles(Path.GetDirectoryName(policy)!, "*", SearchOption.AllDirectories), Is.EqualTo(new[] { policy }));
        });
    }

    private static string? Decide(string policy, string description)
    {
        JsonElement input = JsonElement.Parse($$"""
            {
              "policy": "{{JsonEncodedText.Encode(policy)}}", "server": "files", "arguments": {}, "caller": { "user": "ada", "session": "s" },
              "tool": { "name": "read_file", "description": "{{description}}", "inputSchema": { "type": "object" } }
            }
            """);
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            new CallExplainKind().Answer(input, writer);
            writer.WriteEndObject();
        }

        return JsonElement.Parse(buffer.ToArray()).GetProperty("decision").GetString();
    }
}
