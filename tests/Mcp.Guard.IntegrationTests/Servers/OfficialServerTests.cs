using System.Text;
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
    public async Task Filesystem_EveryTool_ByteEqualWithAndWithoutTheGuard()
    {
        string script = NpmServers.Require("server-filesystem", "index.js");
        string a = Path.Combine(_root, "a.txt"), b = Path.Combine(_root, "b.txt"), image = Path.Combine(_root, "p.png"), made = Path.Combine(_root, "made", "deep");
        (string Tool, JsonObject Arguments)[] calls =
        [
            ("read_file", new() { ["path"] = a }),
            ("read_text_file", new() { ["path"] = a }),
            ("read_text_file", new() { ["path"] = a, ["head"] = 2 }),
            ("read_text_file", new() { ["path"] = Path.Combine(_root, "absent.txt") }),
            ("read_media_file", new() { ["path"] = image }),
            ("read_multiple_files", new() { ["paths"] = new JsonArray(a, Path.Combine(_root, "absent.txt")) }),
            ("write_file", new() { ["path"] = b, ["content"] = "four\n" }),
            ("edit_file", new() { ["path"] = a, ["edits"] = new JsonArray(new JsonObject { ["oldText"] = "two", ["newText"] = "2" }) }),
            ("edit_file", new() { ["path"] = a, ["edits"] = new JsonArray(new JsonObject { ["oldText"] = "two", ["newText"] = "2" }), ["dryRun"] = true }),
            ("create_directory", new() { ["path"] = made }),
            ("list_directory", new() { ["path"] = _root }),
            ("list_directory_with_sizes", new() { ["path"] = _root }),
            ("directory_tree", new() { ["path"] = _root }),
            ("move_file", new() { ["source"] = a, ["destination"] = b }),
            ("search_files", new() { ["path"] = _root, ["pattern"] = "*.txt" }),
            ("get_file_info", new() { ["path"] = a }),
            ("list_allowed_directories", new()),
        ];
        string[] changing = ["write_file", "edit_file", "create_directory", "move_file"];
        await using Guarded guarded = Make(server => server.Command(NpmServers.Node, script, _root).WithoutIsolation().Root(_root)
            .Allow("all", rule => rule.Tools("*").RateLimit(1000, TimeSpan.FromSeconds(1))));
        await using McpClient through = await guarded.Guard.ConnectAsync("npm");
        await using McpClient plain = await McpClient.CreateAsync(new StdioClientTransport(new() { Command = NpmServers.Node, Arguments = [script, _root] }));

        string[] listed = [.. (await through.ListToolsAsync()).Select(tool => tool.Name)];
        Assert.That(listed, Is.EqualTo((await plain.ListToolsAsync()).Select(tool => tool.Name)));
        Assert.That(calls.Select(call => call.Tool).Distinct(), Is.EquivalentTo(listed), "every tool is called");
        foreach (var (tool, arguments) in calls)
        {
            bool changes = changing.Contains(tool);
            FillRoot(changes);
            string guardedResult = await RawAsync(through, tool, arguments);
            string guardedTree = Tree();
            FillRoot(changes);
            Assert.That(guardedResult, Is.EqualTo(await RawAsync(plain, tool, arguments)), tool);
            Assert.That(guardedTree, Is.EqualTo(Tree()), tool);
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
    public async Task Everything_EveryTool_EqualWithAndWithoutTheGuard()
    {
        string script = NpmServers.Require("server-everything", "index.js");
        var calls = new Dictionary<string, JsonObject[]>(StringComparer.Ordinal)
        {
            ["echo"] = [new() { ["message"] = "hello" }],
            ["get-annotated-message"] = [new() { ["messageType"] = "error", ["includeImage"] = true }, new() { ["messageType"] = "debug" }],
            ["get-env"] = [[]],
            ["get-resource-links"] = [new() { ["count"] = 4 }],
            ["get-resource-reference"] = [new() { ["resourceType"] = "Text", ["resourceId"] = 1 }, new() { ["resourceType"] = "Blob", ["resourceId"] = 2 }],
            ["get-roots-list"] = [[]],
            ["get-structured-content"] = [new() { ["location"] = "Chicago" }],
            ["get-sum"] = [new() { ["a"] = 2, ["b"] = 3 }],
            ["get-tiny-image"] = [[]],
            ["gzip-file-as-resource"] = [new() { ["name"] = "a.gz", ["data"] = "data:text/plain,hello", ["outputType"] = "resource" }],
            ["simulate-research-query"] = [new() { ["topic"] = "guards" }],
            ["toggle-simulated-logging"] = [[], []],
            ["toggle-subscriber-updates"] = [[], []],
            ["trigger-long-running-operation"] = [new() { ["duration"] = 0.02, ["steps"] = 2 }],
        };
        await using Guarded guarded = Make(server => server.Command(NpmServers.Node, script, "stdio").WithoutIsolation().Root(_root)
            .Allow("all", rule => rule.Tools("*").RateLimit(1000, TimeSpan.FromSeconds(1))));
        await using McpClient through = await guarded.Guard.ConnectAsync("npm", new McpClientOptions
        {
            // Off in the policy: the server must not learn that the host could, and so does not offer the tools that need it.
            Handlers = new McpClientHandlers
            {
                ElicitationHandler = (_, _) => new(new ElicitResult { Action = "accept" }),
                SamplingHandler = (_, _, _) => new(new CreateMessageResult { Model = "m", Content = [new TextContentBlock { Text = "x" }] }),
            },
        });
        await using McpClient plain = await McpClient.CreateAsync(
            new StdioClientTransport(new() { Command = NpmServers.Node, Arguments = [script, "stdio"] }),
            new McpClientOptions { Handlers = new McpClientHandlers { RootsHandler = (_, _) => new(new ListRootsResult { Roots = [new Root { Uri = new Uri(_root).AbsoluteUri, Name = "root" }] }) } });

        string[] listed = await ListedAsync(through);
        Assert.That(listed, Is.EqualTo(await ListedAsync(plain)));
        Assert.That(calls.Keys, Is.SupersetOf(listed), "every tool is called");
        foreach (string tool in listed)
        {
            foreach (JsonObject arguments in calls[tool])
            {
                string withGuard = await RawAsync(through, tool, arguments);
                string without = await RawAsync(plain, tool, arguments);
                switch (tool)
                {
                    case "get-env": // what differs is the point: the guard's server does not inherit the host's environment
                        Assert.That(EnvironmentOf(withGuard), Is.SubsetOf((string[])["HOME", "LANG", "MCP_GUARD_INSTANCE", "PATH", "TMPDIR"]));
                        Assert.That(EnvironmentOf(without), Is.Not.Empty);
                        break;
                    case "get-resource-reference": // the server writes the time of day into it, plain or in base64
                        Assert.That(WithoutTime(withGuard), Is.EqualTo(WithoutTime(without)), tool);
                        break;
                    default:
                        Assert.That(withGuard, Is.EqualTo(without), tool);
                        break;
                }
            }
        }
    }

    [Test]
    public async Task Everything_ListsResourcesAndPrompts_EqualWithAndWithoutTheGuard()
    {
        string script = NpmServers.Require("server-everything", "index.js");
        await using Guarded guarded = Make(server => server.Command(NpmServers.Node, script, "stdio").WithoutIsolation()
            .Allow("all", rule => rule.Tools("*").Resources("*").Prompts("*").RateLimit(1000, TimeSpan.FromSeconds(1))));
        await using McpClient through = await guarded.Guard.ConnectAsync("npm");
        await using McpClient plain = await McpClient.CreateAsync(new StdioClientTransport(new() { Command = NpmServers.Node, Arguments = [script, "stdio"] }));
        await ListedAsync(through);
        await ListedAsync(plain);

        var asked = new List<(string Method, JsonObject Parameters)>
        {
            ("tools/list", []), ("prompts/list", []), ("resources/list", []), ("resources/templates/list", []),
            ("resources/read", new() { ["uri"] = "demo://resource/dynamic/text/1" }), ("resources/read", new() { ["uri"] = "demo://resource/dynamic/blob/2" }),
        };
        asked.AddRange((await plain.ListResourcesAsync()).Select(resource => ("resources/read", new JsonObject { ["uri"] = resource.Uri })));
        foreach (McpClientPrompt prompt in await plain.ListPromptsAsync())
        {
            var arguments = new JsonObject();
            foreach (PromptArgument argument in prompt.ProtocolPrompt.Arguments ?? [])
            {
                arguments[argument.Name] = argument.Name switch { "resourceType" => "Text", "resourceId" => "1", _ => "some words" };
            }

            asked.Add(("prompts/get", new() { ["name"] = prompt.Name, ["arguments"] = arguments }));
        }

        Assert.That(asked, Has.Count.GreaterThan(10), "the server offers resources and prompts");
        Assert.Multiple(async () =>
        {
            foreach (var (method, parameters) in asked)
            {
                JsonNode withGuard = await AnswerAsync(through, method, parameters);
                JsonNode without = await AnswerAsync(plain, method, parameters);
                Assert.That(WithoutClock(withGuard), Is.EqualTo(WithoutClock(without)), $"{method} {parameters.ToJsonString()}");
            }
        });
    }

    [Test]
    public async Task Everything_DeniedCalls_LeaveTheServersStateAsItWas()
    {
        string script = NpmServers.Require("server-everything", "index.js");
        var gate = new Gate();
        await using Guarded guarded = Make(
            server => server.Command(NpmServers.Node, script, "stdio").WithoutIsolation()
                .Allow("all", rule => rule.Tools("*").RateLimit(1000, TimeSpan.FromSeconds(1))),
            builder => builder.AddStage(gate, before: GuardStages.KillSwitch));
        await using McpClient client = await guarded.Guard.ConnectAsync("npm");
        var gzip = new JsonObject { ["name"] = "made.gz", ["data"] = "data:text/plain,hello" };
        foreach (string tool in await ListedAsync(client))
        {
            Assert.That(await RawAsync(client, tool, tool == "gzip-file-as-resource" ? gzip : []), Does.Contain("[rule-denied]"), tool);
        }

        Assert.That((await client.ListResourcesAsync()).Select(resource => resource.Name), Has.None.EqualTo("made.gz"));
        gate.IsOpen = true;
        await RawAsync(client, "gzip-file-as-resource", gzip);
        Assert.Multiple(async () =>
        {
            Assert.That((await client.ListResourcesAsync()).Select(resource => resource.Name), Has.One.EqualTo("made.gz"));
            Assert.That(await RawAsync(client, "toggle-simulated-logging", []), Does.Contain("Started"), "a call that had reached the server would make this one stop it");
            Assert.That(await RawAsync(client, "toggle-subscriber-updates", []), Does.Contain("Started"));
        });
    }

    private static async Task<string[]> ListedAsync(McpClient client)
    {
        // The server adds the tools that depend on the client's capabilities after the handshake.
        string[] listed = [];
        for (int i = 0; i < 100; i++)
        {
            string[] now = [.. (await client.ListToolsAsync()).Select(tool => tool.Name)];
            if (now.Length > 0 && now.SequenceEqual(listed))
            {
                return now;
            }

            listed = now;
            await Task.Delay(100);
        }

        return listed;
    }

    private static string[] EnvironmentOf(string result) =>
        [.. JsonNode.Parse(JsonNode.Parse(result)!["content"]![0]!["text"]!.GetValue<string>())!.AsObject().Select(member => member.Key)];

    private static string WithoutTime(string result)
    {
        JsonObject resource = JsonNode.Parse(result)!["content"]![1]!["resource"]!.AsObject();
        string text = resource["text"]?.GetValue<string>() ?? Encoding.UTF8.GetString(Convert.FromBase64String(resource["blob"]!.GetValue<string>()));
        Assert.That(text, Does.Contain(" created at "));
        string value = (resource["text"] ?? resource["blob"])!.GetValue<string>();
        return result.Replace(value, text[..text.IndexOf(" created at ", StringComparison.Ordinal)], StringComparison.Ordinal);
    }

    /// <summary>What the calls work on; each begins with the same files, and with fresh ones where calls change them.</summary>
    private void FillRoot(bool fresh)
    {
        if (fresh)
        {
            Directory.Delete(_root, recursive: true);
            Directory.CreateDirectory(Path.Combine(_root, "sub"));
        }

        string a = Path.Combine(_root, "a.txt"), image = Path.Combine(_root, "p.png");
        if (!File.Exists(a) || !File.Exists(image))
        {
            File.WriteAllText(a, "one\ntwo\nthree\n");
            File.WriteAllBytes(image, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        }
    }

    private string Tree() =>
        string.Join('\n', Directory.EnumerateFileSystemEntries(_root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => Directory.Exists(path) ? path : $"{path}: {Convert.ToBase64String(File.ReadAllBytes(path))}"));

    private static async Task<string> RawAsync(McpClient client, string tool, JsonObject arguments)
    {
        JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest
        {
            Method = "tools/call",
            Params = new JsonObject { ["name"] = tool, ["arguments"] = arguments.DeepClone() },
        });
        return response.Result!.ToJsonString();
    }

    private static async Task<JsonNode> AnswerAsync(McpClient client, string method, JsonObject parameters) =>
        (await client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = parameters.DeepClone() })).Result!;

    /// <summary>A result with the time of day left out, which this server writes into some resources, plain or in base64.</summary>
    private static string WithoutClock(JsonNode result)
    {
        foreach (JsonObject resource in result["contents"]?.AsArray().Select(item => item!.AsObject()) ?? [])
        {
            if (resource["blob"] is { } blob)
            {
                resource["blob"] = BeforeClock(Encoding.UTF8.GetString(Convert.FromBase64String(blob.GetValue<string>())));
            }
            else if (resource["text"] is { } text)
            {
                resource["text"] = BeforeClock(text.GetValue<string>());
            }
        }

        foreach (JsonNode? message in result["messages"]?.AsArray() ?? [])
        {
            if (message!["content"]!["resource"]?["text"] is { } text)
            {
                message["content"]!["resource"]!["text"] = BeforeClock(text.GetValue<string>());
            }
        }

        return result.ToJsonString();
    }

    private static string BeforeClock(string text)
    {
        int clock = text.IndexOf(" created at ", StringComparison.Ordinal);
        return clock < 0 ? text : text[..clock];
    }

    private Guarded Make(Action<GuardServerBuilder> server, Action<McpGuardBuilder>? configure = null) => new(Path.Combine(_work, "guard-state"), server, configure);

    /// <summary>Denies every call until it is opened.</summary>
    private sealed class Gate : IGuardStage<GuardRequestContext>
    {
        public string Name => "gate";

        public bool IsOpen { get; set; }

        public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct) =>
            new(IsOpen || context.Method != "tools/call" ? GuardDecision.Continue : GuardDecision.Deny(GuardDenialCodes.RuleDenied, "the gate is closed"));
    }

    private sealed class Guarded : IAsyncDisposable
    {
        private readonly ServiceProvider _services;

        public Guarded(string state, Action<GuardServerBuilder> server, Action<McpGuardBuilder>? configure)
        {
            var services = new ServiceCollection();
            McpGuardBuilder builder = services.AddMcpGuard(policy => policy.StateDirectory(state).Server("npm", server)).UseAudit(Audit).UseConsent(new ScriptedConsentProvider());
            configure?.Invoke(builder);
            _services = services.BuildServiceProvider();
            Guard = _services.GetRequiredService<IMcpGuard>();
        }

        public AuditCollector Audit { get; } = new();

        public IMcpGuard Guard { get; }

        public ValueTask DisposeAsync() => _services.DisposeAsync();
    }
}
