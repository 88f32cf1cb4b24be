using System.Text.Json.Nodes;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Servers;

/// <summary>Pins of a host with a policy file, over restarts of the host and of real server processes.</summary>
[TestFixture]
internal sealed class PinRestartTests
{
    private const int Restarts = 4;

    private string _work = string.Empty;

    private string Root => Path.Combine(_work, "root");

    private string ChangedFile => Path.Combine(_work, "changed");

    private string CallLog => Path.Combine(_work, "calls.txt");

    [SetUp]
    public void MakeFolders()
    {
        _work = Directory.CreateTempSubdirectory("mcp-guard-pins-").FullName;
        Directory.CreateDirectory(Root);
        File.WriteAllText(Path.Combine(Root, "a.txt"), "one");
    }

    [TearDown]
    public void RemoveFolders() => Directory.Delete(_work, recursive: true);

    [Test]
    public async Task OfficialServers_OverRestarts_NoFalseAlarm()
    {
        string files = NpmServers.Require("server-filesystem", "index.js");
        string everything = NpmServers.Require("server-everything", "index.js");
        string policy = WritePolicy(new JsonObject
        {
            ["files"] = Server([files, Root], Root),
            ["everything"] = Server([everything, "stdio"], null),
        });
        for (int start = 0; start < Restarts; start++)
        {
            await using var host = new Host(policy);
            await using McpClient first = await host.Guard.ConnectAsync("files");
            await using McpClient second = await host.Guard.ConnectAsync("everything");
            IList<McpClientTool> filesTools = await first.ListToolsAsync();
            IList<McpClientTool> everythingTools = await second.ListToolsAsync();
            CallToolResult read = await first.CallToolAsync("read_text_file", new Dictionary<string, object?> { ["path"] = Path.Combine(Root, "a.txt") });
            CallToolResult echo = await second.CallToolAsync("echo", new Dictionary<string, object?> { ["message"] = "hello" });
            await second.ListToolsAsync();
            await second.ListPromptsAsync();
            await second.ListResourcesAsync();

            Assert.Multiple(() =>
            {
                Assert.That(filesTools, Has.Count.GreaterThan(10));
                Assert.That(everythingTools, Has.Count.GreaterThan(5));
                Assert.That(read.IsError, Is.Not.True);
                Assert.That(echo.IsError, Is.Not.True);
                Assert.That(host.Guard.Reviews.List(), Is.Empty, $"start {start}: {string.Join(", ", host.Guard.Reviews.List().Select(review => review.ToolName))}");
                Assert.That(host.Consent.Requests, Is.Empty);
                Assert.That(host.Audit.OfKind(AuditKind.Catalog).Count(record => record.Decision == "pinned"), Is.EqualTo(start == 0 ? 2 : 0));
                Assert.That(host.Audit.OfKind(AuditKind.Catalog).Where(record => record.Reason!.Contains("changed", StringComparison.Ordinal) || record.Reason.Contains("new", StringComparison.Ordinal)), Is.Empty);
            });
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task ServerThatChangesAfterApproval_IsStoppedAlsoAfterARestart(bool loud)
    {
        string policy = WritePolicy(new JsonObject { ["facts"] = ChangingServer(loud) });
        await using (var host = new Host(policy))
        {
            await using McpClient client = await host.Guard.ConnectAsync("facts");
            Assert.That(await client.ListToolsAsync(), Has.Count.EqualTo(2));
            Assert.That((await client.CallToolAsync("get_fact")).IsError, Is.Not.True);

            await File.WriteAllTextAsync(ChangedFile, string.Empty);
            await client.CallToolAsync("poke"); // by list_changed, or nothing is said and the host lists again by itself
            if (!loud)
            {
                await client.ListToolsAsync();
            }

            CallToolResult changed = await client.CallToolAsync("get_fact");
            Assert.That(TextOf(changed), Does.Contain("[tool-changed]"));
            Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Is.EqualTo((string[])["poke"]));
        }

        await using var again = new Host(policy);
        await using McpClient restarted = await again.Guard.ConnectAsync("facts");
        Assert.That((await restarted.ListToolsAsync()).Select(tool => tool.Name), Is.EqualTo((string[])["poke"]));
        Assert.That(TextOf(await restarted.CallToolAsync("get_fact")), Does.Contain("[tool-changed]"));
        Assert.That(await File.ReadAllLinesAsync(CallLog), Is.EqualTo((string[])["get_fact", "poke"]));
        ToolReview review = again.Guard.Reviews.List().Single();
        Assert.That(review.Changes.Single().Before, Is.EqualTo("\"Gets a fact.\""));
        Assert.That(await again.Guard.Reviews.ApproveAsync(review.Id, "admin"), Is.True);
        Assert.That((await restarted.CallToolAsync("get_fact")).IsError, Is.Not.True);
    }

    [TestCase("deleted")]
    [TestCase("damaged")]
    public async Task PinFile_LostBetweenStarts_NothingCountsAsApproved(string how)
    {
        string policy = WritePolicy(new JsonObject { ["facts"] = ChangingServer(loud: false) });
        await using (var host = new Host(policy))
        {
            await using McpClient client = await host.Guard.ConnectAsync("facts");
            await client.ListToolsAsync();
            Assert.That(client.ServerInstructions, Is.EqualTo("Ask for facts."));
        }

        string pins = Path.Combine(_work, "state", "pins.json");
        if (how == "deleted")
        {
            File.Delete(pins);
        }
        else
        {
            await File.WriteAllTextAsync(pins, (await File.ReadAllTextAsync(pins)).Replace("Gets", "Sets", StringComparison.Ordinal));
        }

        await using var again = new Host(policy);
        await using McpClient restarted = await again.Guard.ConnectAsync("facts");
        Assert.That(await restarted.ListToolsAsync(), Is.Empty);
        Assert.That(restarted.ServerInstructions, Is.Null.Or.Empty);
        Assert.That(TextOf(await restarted.CallToolAsync("get_fact")), Does.Contain("[tool-changed]"));
        Assert.That(again.Guard.Reviews.List(), Has.Count.EqualTo(3));
        foreach (ToolReview review in again.Guard.Reviews.List())
        {
            Assert.That(await again.Guard.Reviews.ApproveAsync(review.Id, "admin"), Is.True, review.ToolName);
        }

        Assert.That((await restarted.CallToolAsync("get_fact")).IsError, Is.Not.True);
    }

    private static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    private JsonObject ChangingServer(bool loud)
    {
        if (NpmServers.Node.Length == 0)
        {
            Assert.Ignore("needs node for its own test server");
        }

        return Server([Path.Combine(AppContext.BaseDirectory, "Servers", "changing-server.mjs"), ChangedFile, CallLog, loud ? "loud" : "silent"], null);
    }

    private static JsonObject Server(string[] arguments, string? root)
    {
        var server = new JsonObject
        {
            ["command"] = NpmServers.Node,
            ["arguments"] = new JsonArray([.. arguments.Select(argument => (JsonNode)argument)]),
            ["isolation"] = new JsonObject { ["mode"] = "none" },
            ["rules"] = new JsonObject
            {
                ["all"] = new JsonObject { ["tools"] = new JsonArray("*"), ["effect"] = "allow", ["rateLimit"] = new JsonObject { ["permits"] = 1000, ["per"] = "1s" } },
            },
        };
        if (root is not null)
        {
            server["roots"] = new JsonArray(root);
        }

        return server;
    }

    private string WritePolicy(JsonObject servers)
    {
        string path = Path.Combine(_work, "mcp-guard.json");
        File.WriteAllText(path, new JsonObject { ["stateDirectory"] = Path.Combine(_work, "state"), ["servers"] = servers }.ToJsonString());
        return path;
    }

    private sealed class Host : IAsyncDisposable
    {
        private readonly ServiceProvider _services;

        public Host(string policy)
        {
            var services = new ServiceCollection();
            services.AddMcpGuard(policy).UseAudit(Audit).UseConsent(Consent);
            _services = services.BuildServiceProvider();
            Guard = _services.GetRequiredService<IMcpGuard>();
        }

        public AuditCollector Audit { get; } = new();

        public ScriptedConsentProvider Consent { get; } = new();

        public IMcpGuard Guard { get; }

        public ValueTask DisposeAsync() => _services.DisposeAsync();
    }
}
