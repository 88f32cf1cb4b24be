using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Eras;

/// <summary>What only HTTP has: headers that must say what was judged, sessions, versions that a server refuses, responses cut off at a limit, legacy SSE.</summary>
[TestFixture]
internal sealed class HttpTests
{
    private const string Sessions = "2025-11-25";
    private const string Stateless = "2026-07-28";

    private static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    [TestCase(Sessions)]
    [TestCase(Stateless)]
    public async Task Headers_AfterAReplace_NameTheJudgedCall(string version)
    {
        await using EraConnection connection = await EraConnection.OpenAsync(
            "http",
            version,
            server => server.With("allowHeaderMirroring", "true"),
            builder => builder.AddStage(new RegionRewrite(), before: GuardStages.Schema));
        await connection.Guarded.ListToolsAsync();

        CallToolResult result = await connection.Guarded.CallToolAsync("route", new Dictionary<string, object?> { ["region"] = "eu", ["text"] = "hi" });

        HttpExchange call = connection.Http!.Calls.Single();
        Assert.Multiple(() =>
        {
            Assert.That(TextOf(result), Is.EqualTo("us: hi"), "the replaced value is what ran");
            Assert.That(call["Mcp-Method"], Is.EqualTo("tools/call"));
            Assert.That(call["Mcp-Name"], Is.EqualTo("route"));
            Assert.That(call["MCP-Protocol-Version"], Is.EqualTo(version));
            Assert.That(call["Mcp-Param-Region"], Is.EqualTo("us"));
            Assert.That(call["Mcp-Session-Id"], version == Sessions ? Is.Not.Empty : Is.Null);
            Assert.That(JsonNode.Parse(call.Body)!["params"]!["arguments"]!["region"]!.GetValue<string>(), Is.EqualTo("us"));
        });
    }

    [Test]
    public async Task Headers_WithoutThePolicysWord_NoArgumentIsMirrored()
    {
        await using EraConnection connection = await EraConnection.OpenAsync("http", Stateless);
        await connection.Guarded.ListToolsAsync();

        CallToolResult result = await connection.Guarded.CallToolAsync("route", new Dictionary<string, object?> { ["region"] = "eu", ["text"] = "hi" });

        Assert.Multiple(() =>
        {
            Assert.That(connection.Http!.Calls.Single()["Mcp-Param-Region"], Is.Null);
            Assert.That(TextOf(result), Does.Contain("[server-unavailable]"), "the server insists on the header and refuses the call");
            Assert.That(connection.Reached("route"), Is.Zero);
        });
    }

    [TestCase(Sessions)]
    [TestCase(Stateless)]
    public async Task Headers_ForResourcesAndPrompts_NameTheJudgedTarget(string version)
    {
        await using EraConnection connection = await EraConnection.OpenAsync("http", version);

        await connection.Guarded.ReadResourceAsync("test://greeting");
        await connection.Guarded.GetPromptAsync("greet", new Dictionary<string, object?> { ["name"] = "Ada" });

        Assert.Multiple(() =>
        {
            Assert.That(connection.Http!.Exchanges.Single(exchange => exchange["Mcp-Method"] == "resources/read")["Mcp-Name"], Is.EqualTo("test://greeting"));
            Assert.That(connection.Http.Exchanges.Single(exchange => exchange["Mcp-Method"] == "prompts/get")["Mcp-Name"], Is.EqualTo("greet"));
        });
    }

    [TestCase(HttpServerSessionMode.Stateless, Stateless)]
    [TestCase(HttpServerSessionMode.Stateful, Sessions)]
    [TestCase(HttpServerSessionMode.StatefulForInitializeClients, Stateless)]
    public async Task Connect_VersionLeftToTheSdk_AgreesOnWhatTheServerHas(HttpServerSessionMode mode, string expected)
    {
        using var folder = new Folder();
        await using HttpEraServer http = await HttpEraServer.StartAsync(folder.Log, mode);
        await using ServiceProvider services = Services(folder, server => server.Url(http.Url));
        await using McpClient client = await services.GetRequiredService<IMcpGuard>().ConnectAsync("era");

        Assert.That(client.NegotiatedProtocolVersion, Is.EqualTo(expected));
        Assert.That(TextOf(await client.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "x" })), Is.EqualTo("echo: x"));
    }

    [Test]
    public async Task Connect_UrlThatThePolicyDoesNotName_NothingIsSent()
    {
        using var folder = new Folder();
        await using HttpEraServer http = await HttpEraServer.StartAsync(folder.Log);
        await using ServiceProvider services = Services(folder, server => server.Url("http://10.0.0.1/mcp"));

        Assert.That(async () => await services.GetRequiredService<IMcpGuard>().ConnectAsync("era"), Throws.Exception);
        Assert.That(http.Exchanges, Is.Empty);
    }

    [TestCase(Sessions)]
    [TestCase(Stateless)]
    public async Task Call_ResponseOverTheLimit_IsCutOffAndTheNextCallRuns(string version)
    {
        await using EraConnection connection = await EraConnection.OpenAsync("http", version, server => server.With("results", """{ "maxBytes": 4096 }"""));

        CallToolResult large = await connection.Guarded.CallToolAsync("large", new Dictionary<string, object?> { ["length"] = 1_000_000 });
        CallToolResult next = await connection.Guarded.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "x" });

        Assert.Multiple(() =>
        {
            Assert.That(TextOf(large), Does.Contain("[result-too-large]"));
            Assert.That(TextOf(next), Is.EqualTo("echo: x"));
            Assert.That(connection.Audit.OfKind(AuditKind.Outcome).Single(record => record.Target == "large").Code, Is.EqualTo(GuardDenialCodes.ResultTooLarge));
        });
    }

    [Test]
    public async Task Call_LineOverTheLimitOverStdio_IsCutOffWithTheConnection()
    {
        await using EraConnection connection = await EraConnection.OpenAsync("stdio", Stateless, server => server.With("results", """{ "maxBytes": 4096 }"""));

        CallToolResult large = await connection.Guarded.CallToolAsync("large", new Dictionary<string, object?> { ["length"] = 1_000_000 });

        Assert.That(TextOf(large), Does.Contain("[result-too-large]"));
    }

    [TestCase(null)]
    [TestCase(Stateless)]
    public async Task Connect_LegacySse_NoProbeAndTheSameRules(string? asked)
    {
        await using EraConnection connection = await EraConnection.OpenAsync("sse", asked, server => server.With("transport", "\"sse\""));

        Assert.That(connection.Guarded.NegotiatedProtocolVersion, Is.EqualTo(Sessions));
        Assert.That(connection.Http!.Exchanges.Select(exchange => exchange.Body), Has.None.Contain("server/discover"));
        Assert.That(TextOf(await connection.Guarded.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "x" })), Is.EqualTo("echo: x"));
        Assert.That(TextOf(await connection.Guarded.CallToolAsync("forbidden")), Does.Contain("[rule-denied]"));
        Assert.That(connection.Reached("forbidden"), Is.Zero);
    }

    [Test]
    public async Task Call_EventOverTheLimitOverLegacySse_IsCutOffWithTheConnection()
    {
        await using EraConnection connection = await EraConnection.OpenAsync("sse", null, server => server.With("transport", "\"sse\"").With("results", """{ "maxBytes": 4096 }"""));

        CallToolResult large = await connection.Guarded.CallToolAsync("large", new Dictionary<string, object?> { ["length"] = 1_000_000 });

        Assert.That(TextOf(large), Does.Contain("[result-too-large]"));
    }

    private static ServiceProvider Services(Folder folder, Action<GuardServerBuilder> server)
    {
        var services = new ServiceCollection();
        services.AddMcpGuard(policy => policy.StateDirectory(folder.State).Server("era", settings =>
            {
                server(settings);
                settings.Allow("all", rule => rule.Tools("*"));
            }))
            .UseAudit(new AuditCollector())
            .UseConsent(new ScriptedConsentProvider());
        return services.BuildServiceProvider();
    }

    /// <summary>Sends every call to the region "us".</summary>
    private sealed class RegionRewrite : IGuardStage<GuardRequestContext>
    {
        public string Name => "region-rewrite";

        public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct)
        {
            if (context.Method != "tools/call" || context.Payload.GetProperty("arguments").GetProperty("region").GetString() == "us")
            {
                return new(GuardDecision.Continue);
            }

            JsonNode changed = JsonNode.Parse(context.Payload.GetRawText())!;
            changed["arguments"]!["region"] = "us";
            return new(GuardDecision.Replace(JsonDocument.Parse(changed.ToJsonString()).RootElement, "region", "only this region is allowed"));
        }
    }

    private sealed class Folder : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("mcp-guard-http-").FullName;

        public string Log => Path.Combine(_path, "calls.txt");

        public string State => Path.Combine(_path, "guard-state");

        public void Dispose() => Directory.Delete(_path, recursive: true);
    }
}
