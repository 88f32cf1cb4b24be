using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.IntegrationTests.Servers;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Run;

/// <summary>
/// Everything that the official servers offer, through <c>mcp-guard run</c> and directly: the same, for clients of both eras, over standard streams and over HTTP. Of
/// what belongs to one hop (<c>_meta</c>, hints for caches) nothing is compared.
/// </summary>
[TestFixture("2025-11-25", false)]
[TestFixture("2025-11-25", true)]
[TestFixture("2026-07-28", false)]
[TestFixture("2026-07-28", true)]
internal sealed class RunMatrixTests(string era, bool isHttp)
{
    private string _work = string.Empty;
    private string _root = string.Empty;

    [SetUp]
    public void MakeFolders()
    {
        _work = Directory.CreateTempSubdirectory("mcp-guard-run-").FullName;
        _root = Directory.CreateDirectory(Path.Combine(_work, "root")).FullName;
        File.WriteAllText(Path.Combine(_root, "a.txt"), "one\ntwo\nthree\n");
        File.WriteAllBytes(Path.Combine(_root, "p.png"), Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="));
        Directory.CreateDirectory(Path.Combine(_root, "sub"));
    }

    [TearDown]
    public void RemoveFolders() => Directory.Delete(_work, recursive: true);

    [Test]
    public async Task Everything_ToolsResourcesTemplatesPromptsCompletion_SameAsDirectly()
    {
        string script = NpmServers.Require("server-everything", "index.js");
        await using McpClient plain = await McpClient.CreateAsync(new StdioClientTransport(new StdioClientTransportOptions { Command = NpmServers.Node, Arguments = [script] }), new McpClientOptions { ProtocolVersion = "2025-11-25" });
        await using Gateway gateway = await GatewayAsync("everything", script);
        McpClient through = gateway.Client;

        // What a server says of its environment differs by nature: the gateway gives it none of its own. A compressed file holds the time of its making.
        string[] byNature = ["get-env", "gzip-file-as-resource"];
        string[] tools = await SameListAsync(plain, through, "tools/list", "tools", "name", "everything__");
        foreach (string tool in tools.Except(byNature))
        {
            JsonObject arguments = tool switch
            {
                "echo" => new() { ["message"] = "hello" },
                "get-sum" => new() { ["a"] = 2, ["b"] = 3 },
                "get-annotated-message" => new() { ["messageType"] = "success", ["includeImage"] = true },
                "get-resource-reference" => new() { ["resourceType"] = "Text", ["resourceId"] = 1 },
                "get-resource-links" => new() { ["count"] = 3 },
                "get-structured-content" => new() { ["location"] = "Chicago" },
                "trigger-long-running-operation" => new() { ["duration"] = 1, ["steps"] = 2 },
                "simulate-research-query" => new() { ["topic"] = "a" },
                _ => [],
            };
            await SameAsync(plain, through, "tools/call", new() { ["name"] = tool, ["arguments"] = arguments }, "name", gateway.NameOf(tool));
            if (tool is "toggle-simulated-logging" or "toggle-subscriber-updates")
            {
                await SameAsync(plain, through, "tools/call", new() { ["name"] = tool, ["arguments"] = arguments.DeepClone() }, "name", gateway.NameOf(tool));
            }
        }

        foreach (string uri in await SameListAsync(plain, through, "resources/list", "resources", "uri", string.Empty))
        {
            await SameAsync(plain, through, "resources/read", new() { ["uri"] = uri }, null, null);
        }

        foreach (string template in await SameListAsync(plain, through, "resources/templates/list", "resourceTemplates", "uriTemplate", string.Empty))
        {
            // The time of its making stands in the text.
            string uri = template.Replace("{resourceId}", "3", StringComparison.Ordinal);
            Assert.That(WithoutTime(await RunningGateway.RawAsync(through, "resources/read", new() { ["uri"] = uri })), Is.EqualTo(WithoutTime(await RunningGateway.RawAsync(plain, "resources/read", new() { ["uri"] = uri }))));
            await SameAsync(plain, through, "completion/complete", new() { ["ref"] = new JsonObject { ["type"] = "ref/resource", ["uri"] = template }, ["argument"] = new JsonObject { ["name"] = "resourceId", ["value"] = "1" } }, null, null);
        }

        foreach (string prompt in await SameListAsync(plain, through, "prompts/list", "prompts", "name", "everything__"))
        {
            JsonObject arguments = prompt switch
            {
                "args-prompt" => new() { ["city"] = "Paris" },
                "completable-prompt" => new() { ["department"] = "Engineering", ["name"] = "Alice" },
                "resource-prompt" => new() { ["resourceType"] = "Text", ["resourceId"] = "1" },
                _ => [],
            };
            var asked = new JsonObject { ["name"] = prompt, ["arguments"] = arguments };
            string direct = WithoutTime(await RunningGateway.RawAsync(plain, "prompts/get", asked));
            asked["name"] = gateway.NameOf(prompt);
            Assert.That(WithoutTime(await RunningGateway.RawAsync(through, "prompts/get", asked)), Is.EqualTo(direct), prompt);
        }

        var completion = new JsonObject { ["ref"] = new JsonObject { ["type"] = "ref/prompt", ["name"] = "completable-prompt" }, ["argument"] = new JsonObject { ["name"] = "department", ["value"] = "E" } };
        string completed = await RunningGateway.RawAsync(plain, "completion/complete", completion);
        completion["ref"]!["name"] = gateway.NameOf("completable-prompt");
        Assert.That(await RunningGateway.RawAsync(through, "completion/complete", completion), Is.EqualTo(completed).And.Contains("Engineering"));
        Assert.That(await RunningGateway.RawAsync(through, "tools/call", new() { ["name"] = gateway.NameOf("absent"), ["arguments"] = new JsonObject() }), Does.Contain("[tool-unknown]"));
    }

    [Test]
    public async Task Filesystem_EveryTool_SameAsDirectly()
    {
        string script = NpmServers.Require("server-filesystem", "index.js");
        string a = Path.Combine(_root, "a.txt"), b = Path.Combine(_root, "b.txt");
        (string Tool, JsonObject Arguments)[] calls =
        [
            ("read_file", new() { ["path"] = a }),
            ("read_text_file", new() { ["path"] = a, ["head"] = 2 }),
            ("read_text_file", new() { ["path"] = Path.Combine(_root, "absent.txt") }),
            ("read_media_file", new() { ["path"] = Path.Combine(_root, "p.png") }),
            ("read_multiple_files", new() { ["paths"] = new JsonArray(a, Path.Combine(_root, "absent.txt")) }),
            ("list_directory", new() { ["path"] = _root }),
            ("list_directory_with_sizes", new() { ["path"] = _root }),
            ("directory_tree", new() { ["path"] = _root }),
            ("search_files", new() { ["path"] = _root, ["pattern"] = "*.txt" }),
            ("list_allowed_directories", []),
            ("edit_file", new() { ["path"] = a, ["edits"] = new JsonArray(new JsonObject { ["oldText"] = "two", ["newText"] = "2" }), ["dryRun"] = true }),
            ("create_directory", new() { ["path"] = Path.Combine(_root, "made") }),
            ("write_file", new() { ["path"] = b, ["content"] = "four\n" }),
        ];
        await using McpClient plain = await McpClient.CreateAsync(
            new StdioClientTransport(new StdioClientTransportOptions { Command = NpmServers.Node, Arguments = [script, _root] }), new McpClientOptions { ProtocolVersion = "2025-11-25" });
        await using Gateway gateway = await GatewayAsync("files", script, _root);

        string[] tools = await SameListAsync(plain, gateway.Client, "tools/list", "tools", "name", "files__");
        Assert.That(tools.Except(calls.Select(call => call.Tool)), Is.EquivalentTo((string[])["move_file", "get_file_info"]), "every tool but those two is called here; those change or tell times");
        foreach ((string tool, JsonObject arguments) in calls)
        {
            await SameAsync(plain, gateway.Client, "tools/call", new() { ["name"] = tool, ["arguments"] = arguments }, "name", gateway.NameOf(tool));
        }

        string told = await RunningGateway.RawAsync(gateway.Client, "tools/call", new() { ["name"] = gateway.NameOf("get_file_info"), ["arguments"] = new JsonObject { ["path"] = b } });
        Assert.That(told, Does.Contain("size: 5"));
        string moved = await RunningGateway.RawAsync(
            gateway.Client, "tools/call", new() { ["name"] = gateway.NameOf("move_file"), ["arguments"] = new JsonObject { ["source"] = b, ["destination"] = Path.Combine(_root, "c.txt") } });
        Assert.That((moved.Contains("Successfully moved", StringComparison.Ordinal), File.Exists(b), File.Exists(Path.Combine(_root, "c.txt"))), Is.EqualTo((true, false, true)), moved);
        string outside = await RunningGateway.RawAsync(gateway.Client, "tools/call", new() { ["name"] = gateway.NameOf("read_file"), ["arguments"] = new JsonObject { ["path"] = "/etc/passwd" } });
        Assert.That(outside, Does.Contain("[path-outside-roots]"));
    }

    private static string WithoutTime(string text) => System.Text.RegularExpressions.Regex.Replace(text, "[0-9]{1,2}:[0-9]{2}:[0-9]{2}( [AP]M)?|[A-Za-z0-9+/]{60,}={0,2}", "T", System.Text.RegularExpressions.RegexOptions.NonBacktracking);

    private static async Task SameAsync(McpClient plain, McpClient through, string method, JsonObject parameters, string? member, string? shown)
    {
        string direct = await RunningGateway.RawAsync(plain, method, parameters);
        var asked = (JsonObject)parameters.DeepClone();
        if (member is not null)
        {
            asked[member] = shown;
        }

        Assert.That(WithoutTime(await RunningGateway.RawAsync(through, method, asked)), Is.EqualTo(WithoutTime(direct)), $"{method} {parameters.ToJsonString()}");
    }

    /// <summary>Compares a list, all pages, entry by entry, but for the name that the gateway gives; returns the server's own names.</summary>
    private static async Task<string[]> SameListAsync(McpClient plain, McpClient through, string method, string member, string key, string prefix)
    {
        JsonObject[] direct = await ListAsync(plain, method, member);
        JsonObject[] offered = await ListAsync(through, method, member);
        Assert.That(offered, Has.Length.EqualTo(direct.Length), method);
        for (int i = 0; i < direct.Length; i++)
        {
            var mine = (JsonObject)offered[i].DeepClone();
            Assert.That((string)mine[key]!, Does.StartWith(prefix));
            mine[key] = (string)direct[i][key]!;
            direct[i].Remove("execution"); // tasks, which neither the guard nor the types of the SDK know
            Assert.That(JsonNode.DeepEquals(mine, direct[i]), $"{mine.ToJsonString()}\n{direct[i].ToJsonString()}");
        }

        return [.. direct.Select(item => (string)item[key]!)];
    }

    private static async Task<JsonObject[]> ListAsync(McpClient client, string method, string member)
    {
        var all = new List<JsonObject>();
        string? cursor = null;
        do
        {
            JsonRpcResponse page = await client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = cursor is null ? [] : new JsonObject { ["cursor"] = cursor } });
            all.AddRange(page.Result![member]!.AsArray().Select(item => (JsonObject)item!));
            cursor = (string?)page.Result["nextCursor"];
        }
        while (cursor is not null);
        return [.. all];
    }

    private async Task<Gateway> GatewayAsync(string server, string script, params string[] arguments)
    {
        string policy = Path.Combine(_work, "mcp-guard.json");
        string state = Path.Combine(_work, "state");
        await File.WriteAllTextAsync(policy, new JsonObject
        {
            ["stateDirectory"] = state,
            ["servers"] = new JsonObject
            {
                [server] = new JsonObject
                {
                    ["command"] = NpmServers.Node,
                    ["arguments"] = new JsonArray([JsonValue.Create(script), .. arguments.Select(argument => JsonValue.Create(argument))]),
                    ["isolation"] = new JsonObject { ["mode"] = "none" },
                    ["roots"] = arguments.Length > 0 ? new JsonArray(_root) : [], // a server that is told of roots offers a tool more
                    ["allowCompletion"] = true,
                    ["rateLimit"] = new JsonObject { ["permits"] = 1000, ["per"] = "1s" },
                    ["rules"] = new JsonObject { ["all"] = new JsonObject { ["tools"] = new JsonArray("*"), ["effect"] = "allow" } },
                },
            },
        }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        if (!isHttp)
        {
            return new Gateway(server, await RunningGateway.ConnectAsync(era, null, policy), null);
        }

        string tokens = Path.Combine(_work, "tokens");
        RunningGateway running = await RunningGateway.StartHttpAsync(policy, "--http", "--caller", "ada", "--token-file", tokens);
        return new Gateway(server, await running.ConnectAsync(era, (await RunningGateway.TokensAsync(tokens))["ada"]), running);
    }

    private sealed class Gateway(string server, McpClient client, RunningGateway? running) : IAsyncDisposable
    {
        public McpClient Client => client;

        public string NameOf(string name) => $"{server}__{name.Replace("-", "--", StringComparison.Ordinal)}";

        public async ValueTask DisposeAsync()
        {
            await client.DisposeAsync();
            if (running is not null)
            {
                await running.DisposeAsync();
            }
        }
    }
}
