using System.Text.Json.Nodes;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Servers;

/// <summary>The official npm servers over stdio, with and without the guard.</summary>
[TestFixture]
internal sealed class OfficialServerTests
{
    private string _root = string.Empty;
    private string _work = string.Empty;

    [SetUp]
    public void MakeFolders()
    {
        _work = Directory.CreateTempSubdirectory("mcp-guard-npm-").FullName;
        _root = Directory.CreateDirectory(Path.Combine(_work, "root")).FullName;
        File.WriteAllText(Path.Combine(_root, "a.txt"), "one\ntwo\nthree\n");
        Directory.CreateDirectory(Path.Combine(_root, "sub"));
        File.WriteAllText(Path.Combine(_work, "secret.txt"), "secret");
    }

    [TearDown]
    public void RemoveFolders() => Directory.Delete(_work, recursive: true);

    [Test]
    public async Task Filesystem_AllowedCalls_ByteEqualWithAndWithoutTheGuard()
    {
        string script = NpmServers.Require("server-filesystem", "index.js");
        string a = Path.Combine(_root, "a.txt");
        (string Tool, JsonObject Arguments)[] calls =
        [
            ("read_text_file", new() { ["path"] = a }),
            ("read_text_file", new() { ["path"] = a, ["head"] = 2 }),
            ("read_multiple_files", new() { ["paths"] = new JsonArray(a) }),
            ("list_directory", new() { ["path"] = _root }),
            ("list_directory_with_sizes", new() { ["path"] = _root }),
            ("directory_tree", new() { ["path"] = _root }),
            ("search_files", new() { ["path"] = _root, ["pattern"] = "*.txt" }),
            ("get_file_info", new() { ["path"] = a }),
            ("list_allowed_directories", new()),
        ];
        await using Guarded guarded = Make(server => server.Command(NpmServers.Node, script, _root).WithoutIsolation().Root(_root)
            .Allow("all", rule => rule.Tools("*").RateLimit(1000, TimeSpan.FromSeconds(1))));
        await using McpClient through = await guarded.Guard.ConnectAsync("npm");
        await using McpClient plain = await McpClient.CreateAsync(new StdioClientTransport(new() { Command = NpmServers.Node, Arguments = [script, _root] }));

        string[] listedThrough = [.. (await through.ListToolsAsync()).Select(tool => tool.Name)];
        string[] listedPlain = [.. (await plain.ListToolsAsync()).Select(tool => tool.Name)];
        Assert.That(listedThrough, Is.EqualTo(listedPlain).And.Length.GreaterThan(10));
        foreach (var (tool, arguments) in calls)
        {
            Assert.That(await RawAsync(through, tool, arguments), Is.EqualTo(await RawAsync(plain, tool, arguments)), tool);
        }
    }

    [Test]
    public async Task Filesystem_DeniedCalls_NeverReachTheServer()
    {
        string script = NpmServers.Require("server-filesystem", "index.js");
        await using Guarded guarded = Make(server => server.Command(NpmServers.Node, script, _work).WithoutIsolation().Root(_root)
            .Allow("all", rule => rule.Tools("*").RateLimit(1000, TimeSpan.FromSeconds(1)))
            .Deny("no-moves", "move_file"));
        await using McpClient client = await guarded.Guard.ConnectAsync("npm");
        string outside = Path.Combine(_work, "secret.txt");
        string written = Path.Combine(_work, "written.txt");
        (string Tool, Dictionary<string, object?> Arguments, string Code)[] calls =
        [
            ("read_text_file", new() { ["path"] = outside }, "path-outside-roots"),
            ("read_text_file", new() { ["path"] = Path.Combine(_root, "..", "secret.txt") }, "path-outside-roots"),
            ("read_multiple_files", new() { ["paths"] = new[] { Path.Combine(_root, "a.txt"), outside } }, "path-outside-roots"),
            ("write_file", new() { ["path"] = written, ["content"] = "x" }, "path-outside-roots"),
            ("create_directory", new() { ["path"] = Path.Combine(_work, "made") }, "path-outside-roots"),
            ("edit_file", new() { ["path"] = outside, ["edits"] = new[] { new Dictionary<string, string> { ["oldText"] = "secret", ["newText"] = "x" } } }, "path-outside-roots"),
            ("move_file", new() { ["source"] = Path.Combine(_root, "a.txt"), ["destination"] = Path.Combine(_root, "b.txt") }, "rule-denied"),
            ("write_file", new() { ["path"] = Path.Combine(_root, "c.txt"), ["content"] = 5 }, "arguments-invalid"),
            ("no_such_tool", new(), "tool-unknown"),
        ];
        foreach (var (tool, arguments, code) in calls)
        {
            CallToolResult result = await client.CallToolAsync(tool, arguments);
            Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain($"[{code}]"), tool);
        }

        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllText(outside), Is.EqualTo("secret"));
            Assert.That(File.Exists(written), Is.False);
            Assert.That(Directory.Exists(Path.Combine(_work, "made")), Is.False);
            Assert.That(File.Exists(Path.Combine(_root, "a.txt")), Is.True);
            Assert.That(Directory.GetFiles(_root), Has.Length.EqualTo(1));
        });
    }

    [Test]
    public async Task Everything_AllowedCalls_ByteEqualWithAndWithoutTheGuard()
    {
        string script = NpmServers.Require("server-everything", "index.js");
        await using Guarded guarded = Make(server => server.Command(NpmServers.Node, script, "stdio").WithoutIsolation()
            .Allow("all", rule => rule.Tools("*").RateLimit(1000, TimeSpan.FromSeconds(1))));
        await using McpClient through = await guarded.Guard.ConnectAsync("npm");
        await using McpClient plain = await McpClient.CreateAsync(new StdioClientTransport(new() { Command = NpmServers.Node, Arguments = [script, "stdio"] }));

        string[] listedThrough = [.. (await through.ListToolsAsync()).Select(tool => tool.Name)];
        string[] listedPlain = [.. (await plain.ListToolsAsync()).Select(tool => tool.Name)];
        Assert.That(listedThrough, Is.EqualTo(listedPlain).And.Length.GreaterThan(5));
        Assert.That(await RawAsync(through, "echo", new() { ["message"] = "hello" }), Is.EqualTo(await RawAsync(plain, "echo", new() { ["message"] = "hello" })));
        Assert.That(await RawAsync(through, "get-sum", new() { ["a"] = 2, ["b"] = 3 }), Is.EqualTo(await RawAsync(plain, "get-sum", new() { ["a"] = 2, ["b"] = 3 })));
    }

    private static async Task<string> RawAsync(McpClient client, string tool, JsonObject arguments)
    {
        JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest
        {
            Method = "tools/call",
            Params = new JsonObject { ["name"] = tool, ["arguments"] = arguments.DeepClone() },
        });
        return response.Result!.ToJsonString();
    }

    private Guarded Make(Action<GuardServerBuilder> server) => new(Path.Combine(_work, "guard-state"), server);

    private sealed class Guarded : IAsyncDisposable
    {
        private readonly ServiceProvider _services;

        public Guarded(string state, Action<GuardServerBuilder> server)
        {
            var services = new ServiceCollection();
            services.AddMcpGuard(policy => policy.StateDirectory(state).Server("npm", server)).UseAudit(Audit).UseConsent(new ScriptedConsentProvider());
            _services = services.BuildServiceProvider();
            Guard = _services.GetRequiredService<IMcpGuard>();
        }

        public AuditCollector Audit { get; } = new();

        public IMcpGuard Guard { get; }

        public ValueTask DisposeAsync() => _services.DisposeAsync();
    }
}
