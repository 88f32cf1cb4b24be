using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using Mcp.Guard.Stages.Catalog;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>Names that could be taken for others, through the whole guard.</summary>
[TestFixture]
internal sealed class ToolNameTests
{
    [TestCase("[name-collision]", "read_file", "Read_File")]
    [TestCase("[name-collision]", "read_file", "read-file")]
    [TestCase("[name-collision]", "read_file", "read_fi1e")]
    [TestCase("[name-collision]", "read_file", "read_file")]
    [TestCase("[name-collision]", "mcp_guard_status")]
    [TestCase("[tool-unknown]", "r\u0435ad_file")]
    [TestCase("[tool-unknown]", "read file")]
    [TestCase("[tool-unknown]", "read\u200Bfile")]
    [TestCase("[tool-unknown]", "../read")]
    public async Task Names_ThatNobodyCanTellApart_AreHiddenAndDenied(string code, params string[] names)
    {
        var server = new RawServer { Tools = [.. names.Select(name => (JsonNode)RawServer.Tool(name)), RawServer.Tool("fine")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);

        Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Is.EqualTo((string[])["fine"]));
        foreach (string name in names)
        {
            Assert.That(TextOf(await client.CallToolAsync(name)), Does.Contain(code), name);
        }

        Assert.That(server.Calls, Is.Empty);
        Assert.That((await client.CallToolAsync("fine")).IsError, Is.Not.True);
    }

    [Test]
    public async Task Names_TwinOfAPinnedTool_OnlyTheTwinIsRefused()
    {
        var server = new RawServer { Tools = [RawServer.Tool("read_file")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        server.Tools = [RawServer.Tool("read_fi1e"), RawServer.Tool("read_file")];

        Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Is.EqualTo((string[])["read_file"]));
        Assert.That((await client.CallToolAsync("read_file")).IsError, Is.Not.True);
        Assert.That(TextOf(await client.CallToolAsync("read_fi1e")), Does.Contain("[name-collision]"));
    }

    [Test]
    public async Task Names_TwiceOnTwoPages_BothAreRefused()
    {
        var server = new RawServer
        {
            OnList = cursor => cursor is null
                ? new JsonObject { ["tools"] = new JsonArray(RawServer.Tool("read_file"), RawServer.Tool("fine")), ["nextCursor"] = "2" }
                : new JsonObject { ["tools"] = new JsonArray(RawServer.Tool("read_file")) },
        };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();

        Assert.That(TextOf(await client.CallToolAsync("read_file")), Does.Contain("[name-collision]"));
        Assert.That((await client.CallToolAsync("fine")).IsError, Is.Not.True);
    }

    [Test]
    public async Task Collision_BetweenServers_EachIsListedUnderItsQualifiedNameAndCalledByTheExactOne()
    {
        var files = new RawServer { Tools = [RawServer.Tool("search"), RawServer.Tool("read")] };
        var notes = new RawServer { Tools = [RawServer.Tool("Search"), RawServer.Tool("add")] };
        await using var guard = TwoServers();
        await using McpClient first = await guard.ConnectAsync(files);
        Assert.That(await NamesAsync(first), Is.EqualTo((string[])["search", "read"]), "alone, its name is its own");
        await using McpClient second = await McpClient.CreateAsync(guard.Guard.Protect("notes", notes));
        var told = new TaskCompletionSource();
        await using IAsyncDisposable registration = first.RegisterNotificationHandler("notifications/tools/list_changed", (_, _) =>
        {
            told.TrySetResult();
            return default;
        });

        Assert.That(await NamesAsync(second), Is.EqualTo((string[])["notes__Search", "add"]));
        await told.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(await NamesAsync(first), Is.EqualTo((string[])["test__search", "read"]));
        Assert.That(await NamesAsync(second), Is.EqualTo((string[])["notes__Search", "add"]), "and that is the end of it");

        Assert.That((await first.CallToolAsync("test__search")).IsError, Is.Not.True);
        Assert.That((await second.CallToolAsync("notes__Search")).IsError, Is.Not.True);
        Assert.That((await second.CallToolAsync("Search")).IsError, Is.Not.True, "over its own connection the exact name is no riddle");
        Assert.That(TextOf(await second.CallToolAsync("test__search")), Does.Contain("[tool-unknown]"));
        Assert.That(files.Calls.Select(NameOf), Is.EqualTo((string[])["search"]));
        Assert.That(notes.Calls.Select(NameOf), Is.EqualTo((string[])["Search", "Search"]));
        Assert.That(guard.Audit.OfKind(AuditKind.Intent).Where(record => record.Method == "tools/call").Select(record => record.Target), Is.EqualTo((string[])["search", "Search", "Search"]));
    }

    [Test]
    public async Task Collision_QualifiedNameOnANewConnection_IsFoundByListingFirst()
    {
        var notes = new RawServer { Tools = [RawServer.Tool("search")] };
        await using var guard = TwoServers();
        await using McpClient first = await guard.ConnectAsync(new RawServer { Tools = [RawServer.Tool("search")] });
        await first.ListToolsAsync();
        await using McpClient second = await McpClient.CreateAsync(guard.Guard.Protect("notes", notes));

        Assert.That((await second.CallToolAsync("notes__search")).IsError, Is.Not.True);
        Assert.That(notes.Calls.Select(NameOf), Is.EqualTo((string[])["search"]));
    }

    [Test]
    public async Task Collision_PolicyOfOneServer_SaysNothingOfTheOther()
    {
        var notes = new RawServer { Tools = [RawServer.Tool("search")] };
        await using var guard = new GuardFixture(
            GuardFixture.AllowAll("search"),
            policy: policy => policy.Server("notes", settings =>
            {
                settings.HostProvided();
                settings.Deny("no", "search");
            }));
        await using McpClient first = await guard.ConnectAsync(new RawServer { Tools = [RawServer.Tool("search")] });
        await first.ListToolsAsync();
        await using McpClient second = await McpClient.CreateAsync(guard.Guard.Protect("notes", notes));

        Assert.That(await second.ListToolsAsync(), Is.Empty);
        Assert.That(TextOf(await second.CallToolAsync("notes__search")), Does.Contain("[rule-denied]"), "a rule is about the exact name");
        Assert.That(notes.Calls, Is.Empty);
    }

    [Test]
    public async Task Collision_WithTheQualifiedNameOfAnother_IsQualifiedToo()
    {
        var sly = new RawServer { Tools = [RawServer.Tool("test__search")] };
        await using var guard = TwoServers();
        await using McpClient first = await guard.ConnectAsync(new RawServer { Tools = [RawServer.Tool("search")] });
        await first.ListToolsAsync();
        await using McpClient second = await McpClient.CreateAsync(guard.Guard.Protect("notes", sly));

        Assert.That(await NamesAsync(second), Is.EqualTo((string[])["notes__test__search"]));
        Assert.That((await second.CallToolAsync("notes__test__search")).IsError, Is.Not.True);
        Assert.That(sly.Calls.Select(NameOf), Is.EqualTo((string[])["test__search"]));
    }

    [Test]
    public async Task Collision_NeighbourNamedLikeTheQualifiedForm_IsRefused()
    {
        await using var guard = TwoServers();
        await using McpClient first = await guard.ConnectAsync(new RawServer { Tools = [RawServer.Tool("search")] });
        await first.ListToolsAsync();
        var notes = new RawServer { Tools = [RawServer.Tool("search"), RawServer.Tool("notes__search")] };
        await using McpClient second = await McpClient.CreateAsync(guard.Guard.Protect("notes", notes));

        Assert.That(await NamesAsync(second), Is.EqualTo((string[])["notes__search"]));
        Assert.That(TextOf(await second.CallToolAsync("notes__search")), Does.Contain("[name-collision]"));
        Assert.That(notes.Calls, Is.Empty, "which of the two is meant is not guessed");
    }

    [Test]
    public async Task Names_OfAConnectionThatEnded_AreFree()
    {
        await using var guard = TwoServers();
        await using (McpClient first = await guard.ConnectAsync(new RawServer { Tools = [RawServer.Tool("search")] }))
        {
            await first.ListToolsAsync();
        }

        await using McpClient second = await McpClient.CreateAsync(guard.Guard.Protect("notes", new RawServer { Tools = [RawServer.Tool("search")] }));
        Assert.That(await NamesAsync(second), Is.EqualTo((string[])["search"]));
    }

    [Test]
    public async Task Names_OfAListThatEndsAfterItsConnection_AreNotTaken()
    {
        await using var guard = TwoServers();
        CatalogNames names = guard.Host.Runtime.Names;
        GuardedTransport transport;
        await using (McpClient first = await guard.ConnectAsync(new RawServer()))
        {
            transport = guard.Host.Runtime.Connections.All.Single();
        }

        Assert.That(names.Take(transport.State, ["search"], out _), Is.Empty);
        Assert.That(names.OtherServerWith("notes", "search"), Is.Null, "nothing would ever take them away again");
    }

    [Test]
    public async Task OtherServerWith_ManyConnectionsToOneServer_CountsThemOnce()
    {
        await using var guard = TwoServers();
        CatalogNames names = guard.Host.Runtime.Names;
        await using McpClient a = await guard.ConnectAsync(new RawServer { Tools = [RawServer.Tool("search")] });
        await using McpClient b = await guard.ConnectAsync(new RawServer { Tools = [RawServer.Tool("search")] });
        Assert.That(await NamesAsync(a), Is.EqualTo((string[])["search"]));
        Assert.That(await NamesAsync(b), Is.EqualTo((string[])["search"]), "the same server is no other one");
        Assert.That(names.OtherServerWith("notes", "Search"), Is.EqualTo("test"));
        Assert.That(names.OtherServerWith("notes", "5earch"), Is.Null.Or.EqualTo("test"));
        Assert.That(names.OtherServerWith("test", "search"), Is.Null);
        GuardedTransport[] open = [.. guard.Host.Runtime.Connections.All];
        names.Remove(open[0].State);
        Assert.That(names.OtherServerWith("notes", "search"), Is.EqualTo("test"), "one connection still has it");
        names.Remove(open[1].State);
        Assert.That(names.OtherServerWith("notes", "search"), Is.Null);
    }

    [Test]
    public async Task RoutingName_AfterAStageReplacedTheName_IsTheJudgedOne()
    {
        // Over HTTP the SDK makes the header Mcp-Name of it: what a proxy routes by must be what the body says.
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll(), builder => builder.AddStage(new OtherName(), before: GuardStages.KillSwitch));
        await using ITransport transport = await guard.Protect(server).ConnectAsync();
#pragma warning disable MCPEXP002 // Experimental in the SDK; the test is about it.
        await transport.SendMessageAsync(new JsonRpcRequest
        {
            Id = new RequestId(1),
            Method = "tools/call",
            Params = new JsonObject { ["name"] = "echo", ["arguments"] = new JsonObject() },
            Context = new JsonRpcMessageContext { RoutingName = "echo" },
        });

        Assert.That(server.Calls.Select(NameOf), Is.EqualTo((string[])["other"]));
        Assert.That(server.Calls.Single().Context!.RoutingName, Is.EqualTo("other"));
#pragma warning restore MCPEXP002
    }

    private static GuardFixture TwoServers() => new(
        GuardFixture.AllowAll(),
        policy: policy => policy.Server("notes", settings =>
        {
            settings.HostProvided();
            GuardFixture.AllowAll()(settings);
        }));

    private static async Task<string[]> NamesAsync(McpClient client) => [.. (await client.ListToolsAsync()).Select(tool => tool.Name)];

    private static string NameOf(JsonRpcRequest call) => (string)call.Params!["name"]!;

    private static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    private sealed class OtherName : IGuardStage<GuardRequestContext>
    {
        public string Name => "other-name";

        public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct) =>
            new(context.Target == "echo"
                ? GuardDecision.Replace(System.Text.Json.JsonDocument.Parse("""{"name":"other","arguments":{}}""").RootElement, "renamed", "another tool takes its place")
                : GuardDecision.Continue);
    }
}
