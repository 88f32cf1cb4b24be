using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.Schema;

/// <summary>Schemas in the call path: what is hidden, what is denied, what the model reads and what the audit says.</summary>
[TestFixture]
internal sealed class SchemaStageTests
{
    private static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    private static async Task<(string Text, GuardFixture Guard, RawServer Server)> CallAsync(RawServer server, Dictionary<string, object?> arguments, GuardFixture guard)
    {
        await using McpClient client = await guard.ConnectAsync(server);
        return (TextOf(await client.CallToolAsync("echo", arguments)), guard, server);
    }

    [TestCase("""{"type":"object","properties":{"a":{"$ref":"https://evil.example/s.json"}}}""", "reference-unresolved")]
    [TestCase("""{"$schema":"https://evil.example/dialect","type":"object"}""", "dialect-unknown")]
    [TestCase("""{"type":"object","allOf":[{"$ref":"#"}]}""", "reference-cycle")]
    [TestCase("""{"type":"object","properties":{"a":{"pattern":"(?<=a"}}}""", "pattern-unsupported")]
    [TestCase("""{"type":"array"}""", "mcp-root")]
    public async Task CallTool_InputSchemaRefused_HiddenAndDeniedWithTheReasonInTheAudit(string schema, string reason)
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo", schema), RawServer.Tool("other")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo", "other"));
        await using McpClient client = await guard.ConnectAsync(server);

        Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Is.EqualTo(new[] { "other" }));
        CallToolResult result = await client.CallToolAsync("echo");

        Assert.Multiple(() =>
        {
            Assert.That(result.IsError, Is.True);
            Assert.That(TextOf(result), Does.Contain("[schema-refused]").And.Not.Contain(reason).And.Not.Contain("evil"));
            Assert.That(server.Calls, Is.Empty);
            Assert.That(guard.Audit.Records.Select(record => record.Reason ?? string.Empty), Has.Some.Contains(reason));
        });
    }

    [Test]
    public async Task CallTool_OutputSchemaRefused_HiddenAndDenied()
    {
        JsonObject tool = RawServer.Tool("echo");
        tool["outputSchema"] = JsonNode.Parse("""{"type":"object","properties":{"a":{"$ref":"file:///etc/passwd"}}}""");
        var server = new RawServer { Tools = [tool] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);

        Assert.That(await client.ListToolsAsync(), Is.Empty);
        Assert.That(TextOf(await client.CallToolAsync("echo")), Does.Contain("[schema-refused]"));
        Assert.That(server.Calls, Is.Empty, "a call whose result could not be checked does not run");
    }

    [Test]
    public async Task CallTool_InvalidArguments_TheModelReadsAtMostFivePlacesAndNoValue()
    {
        string fields = string.Join(',', Enumerable.Range(0, 9).Select(i => $"\"f{i}\":{{\"type\":\"integer\"}}"));
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        (string text, _, RawServer server) = await CallAsync(
            new RawServer { Tools = [RawServer.Tool("echo", "{\"type\":\"object\",\"properties\":{" + fields + "}}")] },
            Enumerable.Range(0, 9).ToDictionary(i => $"f{i}", object? (_) => "hunter2"),
            guard);

        Assert.Multiple(() =>
        {
            Assert.That(text, Does.Contain("[arguments-invalid]").And.Contain("/f0").And.Contain("integer").And.Not.Contain("hunter2"));
            Assert.That(Enumerable.Range(0, 9).Count(i => text.Contains($"/f{i}", StringComparison.Ordinal)), Is.EqualTo(5));
            Assert.That(server.Calls, Is.Empty);
            Assert.That(guard.Audit.Records.Select(record => record.Reason ?? string.Empty), Has.Some.Contains("/properties/f0/type").And.None.Contains("hunter2"));
        });
    }

    [Test]
    public async Task CallTool_RequireOfThePolicy_DeniesWithoutTellingTheRule()
    {
        await using var guard = new GuardFixture(settings => settings.Allow("short", rule => rule.Tools("echo").Require("""{"properties":{"content":{"maxLength":3}}}""")));
        (string text, _, RawServer server) = await CallAsync(new RawServer(), new Dictionary<string, object?> { ["content"] = "abcd" }, guard);

        Assert.That(text, Does.Contain("[arguments-invalid]").And.Not.Contain("short").And.Not.Contain("maxLength"));
        Assert.That(server.Calls, Is.Empty);
    }

    [TestCase("""{"structuredContent":{"n":1},"content":[]}""", true)]
    [TestCase("""{"structuredContent":{"n":"1"},"content":[]}""", false)]
    [TestCase("""{"structuredContent":[1],"content":[]}""", false)]
    [TestCase("""{"content":[]}""", false)]
    public async Task CallTool_StructuredContent_IsHeldToTheOutputSchema(string reply, bool delivered)
    {
        JsonObject tool = RawServer.Tool("echo");
        tool["outputSchema"] = JsonNode.Parse("""{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}""");
        var server = new RawServer
        {
            Tools = [tool],
            OnCall = (request, raw, _) =>
            {
                raw.Reply(request.Id, JsonNode.Parse(reply));
                return Task.CompletedTask;
            },
        };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);

        CallToolResult result = await client.CallToolAsync("echo");
        Assert.That(result.IsError is true, Is.EqualTo(!delivered));
        Assert.That(delivered || TextOf(result).Contains("[result-invalid]", StringComparison.Ordinal));
    }

    /// <summary>The same tool is refused or not by the version that was negotiated.</summary>
    [TestCase("2026-07-28", false)]
    [TestCase("2025-11-25", true)]
    public async Task CallTool_HeaderRuleBroken_RefusedFromTheVersionThatHasTheRule(string version, bool runs)
    {
        var server = new RawServer { ProtocolVersion = version, Tools = [RawServer.Tool("echo", """{"type":"object","properties":{"a":{"type":"number","x-mcp-header":"A"}}}""")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);

        CallToolResult result = await client.CallToolAsync("echo");
        Assert.That(result.IsError is true, Is.EqualTo(!runs));
        Assert.That(server.Calls, Has.Count.EqualTo(runs ? 1 : 0));
        Assert.That(runs || guard.Audit.Records.Any(record => record.Reason?.Contains("mcp-header", StringComparison.Ordinal) == true));
    }

    [Test]
    public async Task ListTools_AgainAndFromTwoConnections_CompilesEachDefinitionOnce()
    {
        var schemas = new CountingSchemas();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo", "other"), builder => builder.UseSchemaCompiler(_ => schemas));
        for (int i = 0; i < 2; i++)
        {
            await using McpClient client = await guard.ConnectAsync(new RawServer());
            await client.ListToolsAsync();
            await client.ListToolsAsync();
            await client.CallToolAsync("echo");
        }

        Assert.That(schemas.Compiled, Is.EqualTo(2), "two tools, each once");
    }

    private sealed class CountingSchemas : ISchemaCompiler
    {
        private readonly Mcp.Guard.Stages.Schema.BuiltInSchemaCompiler _inner = new();
        private int _compiled;

        public int Compiled => _compiled;

        public SchemaCompilation Compile(ReadOnlySpan<byte> utf8, SchemaOptions options)
        {
            _compiled += options.Use == SchemaUse.InputSchema ? 1 : 0;
            return _inner.Compile(utf8, options);
        }
    }
}
