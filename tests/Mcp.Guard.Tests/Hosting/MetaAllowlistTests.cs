using System.Text.Json.Nodes;
using Mcp.Guard.Tests.Stages.ServerRequests;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary><c>_meta</c> passes by allowlist in both directions: the protocol's own keys, and those that <c>meta</c> of the policy names.</summary>
[TestFixture]
internal sealed class MetaAllowlistTests
{
    private const string Named = """{ "toServer": ["example.com/tenant"], "fromServer": ["example.com/cost"] }""";

    private static JsonObject Meta => new()
    {
        ["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ["example.com/tenant"] = "acme",
        ["example.com/cost"] = 3,
        ["example.com/Cost"] = 4,
        ["secret"] = "x",
    };

    [TestCase("{}", "traceparent")]
    [TestCase(Named, "traceparent", "example.com/tenant")]
    public async Task Request_OnlyKnownAndNamedKeysReachTheServer(string meta, params string[] expected)
    {
        await using var guard = new GuardFixture(Policy(meta));
        var server = new RawServer();
        await using McpClient client = await guard.ConnectAsync(server);
        await client.SendRequestAsync(new JsonRpcRequest { Method = "tools/call", Params = new JsonObject { ["name"] = "echo", ["_meta"] = Meta } });
        Assert.That(KeysOf(server.Calls.Single().Params), Is.EqualTo(expected));
    }

    [TestCase("{}", "traceparent")]
    [TestCase(Named, "traceparent", "example.com/tenant")]
    public async Task Notification_OnlyKnownAndNamedKeysReachTheServer(string meta, params string[] expected)
    {
        await using var guard = new GuardFixture(Policy(meta));
        var server = new RawServer();
        await using McpClient client = await guard.ConnectAsync(server);
        await client.SendMessageAsync(new JsonRpcNotification { Method = "notifications/roots/list_changed", Params = new JsonObject { ["_meta"] = Meta } });
        Assert.That(KeysOf(server.Received.OfType<JsonRpcNotification>().Single(message => message.Method == "notifications/roots/list_changed").Params), Is.EqualTo(expected));
    }

    [TestCase("{}", "traceparent")]
    [TestCase(Named, "traceparent", "example.com/cost")]
    public async Task Result_OnlyKnownAndNamedKeysReachTheHost(string meta, params string[] expected)
    {
        JsonObject result = RawServer.TextResult("a");
        result["_meta"] = Meta;
        await using var guard = new GuardFixture(Policy(meta));
        await using McpClient client = await guard.ConnectAsync(new RawServer
        {
            OnCall = (request, raw, _) =>
            {
                raw.Reply(request.Id, result.DeepClone());
                return Task.CompletedTask;
            },
        });
        JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest { Method = "tools/call", Params = new JsonObject { ["name"] = "echo" } });
        Assert.That(KeysOf(response.Result), Is.EqualTo(expected));
    }

    [TestCase("{}", "traceparent")]
    [TestCase(Named, "traceparent", "example.com/cost")]
    public async Task ServerNotification_OnlyKnownAndNamedKeysReachTheHost(string meta, params string[] expected)
    {
        var seen = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var guard = new GuardFixture(Policy(meta));
        var server = new RawServer();
        await using McpClient client = await guard.ConnectAsync(server, new McpClientOptions
        {
            Handlers = new McpClientHandlers
            {
                NotificationHandlers = [new("notifications/prompts/list_changed", (message, _) =>
                {
                    seen.TrySetResult(message.Params);
                    return default;
                })],
            },
        });
        server.Send(new JsonRpcNotification { Method = "notifications/prompts/list_changed", Params = new JsonObject { ["_meta"] = Meta } });
        Assert.That(KeysOf(await seen.Task.WaitAsync(TimeSpan.FromSeconds(30))), Is.EqualTo(expected));
    }

    [Test]
    public async Task SamplingRequest_OnlyKnownAndNamedKeysReachTheHost(
        [Values(AskingServer.Sessions, AskingServer.Stateless)] string version, [Values("{}", Named)] string meta)
    {
        JsonObject asked = AskingServer.Sampling();
        asked["_meta"] = Meta;
        var host = new AskedHost();
        await AskAsync(version, "sampling/createMessage", asked, "sampling", """{"allow":true,"confirm":false}""", meta, host);
        Assert.That(host.Samplings.Single().Meta!.Select(member => member.Key), Is.EqualTo(meta == Named ? NamedFromServer : Known));
    }

    [Test]
    public async Task ElicitationRequest_OnlyKnownAndNamedKeysReachTheHost(
        [Values(AskingServer.Sessions, AskingServer.Stateless)] string version, [Values("{}", Named)] string meta)
    {
        JsonObject asked = AskingServer.Elicitation();
        asked["_meta"] = Meta;
        var host = new AskedHost();
        await AskAsync(version, "elicitation/create", asked, "elicitation", """{"allow":true}""", meta, host);
        Assert.That(host.Elicitations.Single().Meta!.Select(member => member.Key), Is.EqualTo(meta == Named ? NamedFromServer : Known));
    }

    [Test]
    public async Task AnswerOfTheHost_LeavesWithoutMeta([Values(AskingServer.Sessions, AskingServer.Stateless)] string version)
    {
        var host = new AskedHost
        {
            Message = new CreateMessageResult { Model = "m", Role = Role.Assistant, Content = [new TextContentBlock { Text = "the answer" }], Meta = Meta },
            OnElicitation = _ =>
            {
                ElicitResult accepted = AskedHost.Accept("""{"name":"the answer"}""");
                accepted.Meta = Meta;
                return Task.FromResult(accepted);
            },
        };
        string sampled = await AskAsync(version, "sampling/createMessage", AskingServer.Sampling(), "sampling", """{"allow":true,"confirm":false}""", Named, host);
        string elicited = await AskAsync(version, "elicitation/create", AskingServer.Elicitation(), "elicitation", """{"allow":true}""", Named, host);
        Assert.That((string[])[sampled, elicited], Has.All.Contains("the answer").And.All.Not.Contains("_meta").And.All.Not.Contains("acme"));
    }

    [TestCase("{}", "traceparent")]
    [TestCase(Named, "traceparent", "example.com/cost")]
    public async Task OtherResults_OnlyKnownAndNamedKeysReachTheHost(string meta, params string[] expected)
    {
        foreach ((string method, JsonObject parameters, JsonObject result) in ((string, JsonObject, JsonObject)[])
        [
            ("resources/read", new() { ["uri"] = "test://a" }, new() { ["contents"] = new JsonArray(new JsonObject { ["uri"] = "test://a", ["text"] = "a" }) }),
            ("prompts/get", new() { ["name"] = "p" }, new() { ["messages"] = new JsonArray() }),
            ("resources/list", [], new() { ["resources"] = new JsonArray() }),
            ("resources/templates/list", [], new() { ["resourceTemplates"] = new JsonArray() }),
            ("prompts/list", [], new() { ["prompts"] = new JsonArray() }),
            ("tools/list", [], new() { ["tools"] = new JsonArray(RawServer.Tool("echo")) }),
        ])
        {
            result["_meta"] = Meta;
            await using var guard = new GuardFixture(Policy(meta));
            await using McpClient client = await guard.ConnectAsync(new RawServer
            {
                OwnMethod = method,
                OnOwn = (request, raw) =>
                {
                    raw.Reply(request.Id, result.DeepClone());
                    return Task.CompletedTask;
                },
            });
            JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = parameters });
            Assert.That(KeysOf(response.Result), Is.EqualTo(expected), method);
        }
    }

    [Test]
    public async Task Result_NamedKey_ItsTextIsCleanedLikeAnyOther()
    {
        JsonObject result = RawServer.TextResult("a");
        result["_meta"] = new JsonObject { ["example.com/cost"] = "a\u200b\u202eb" };
        await using var guard = new GuardFixture(Policy(Named));
        await using McpClient client = await guard.ConnectAsync(new RawServer
        {
            OnCall = (request, raw, _) =>
            {
                raw.Reply(request.Id, result.DeepClone());
                return Task.CompletedTask;
            },
        });
        JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest { Method = "tools/call", Params = new JsonObject { ["name"] = "echo" } });
        Assert.That(response.Result!["_meta"]!["example.com/cost"]!.GetValue<string>(), Is.EqualTo("ab"));
    }

    [TestCase("""["not", "an", "object"]""")]
    [TestCase("\"text\"")]
    public async Task Request_MetaThatIsNoObject_IsLeftOut(string meta)
    {
        await using var guard = new GuardFixture(Policy(Named));
        var server = new RawServer();
        await using McpClient client = await guard.ConnectAsync(server);
        await client.SendRequestAsync(new JsonRpcRequest { Method = "tools/call", Params = new JsonObject { ["name"] = "echo", ["_meta"] = JsonNode.Parse(meta) } });
        Assert.That(server.Calls.Single().Params!["_meta"], Is.Null);
    }

    private static Action<GuardServerBuilder> Policy(string meta) => settings =>
    {
        GuardFixture.AllowAll("echo")(settings);
        settings.With("meta", meta);
    };

    private static readonly string[] Known = ["traceparent"];
    private static readonly string[] NamedFromServer = ["traceparent", "example.com/cost"];

    private static async Task<string> AskAsync(string version, string method, JsonObject asked, string section, string settings, string meta, AskedHost host)
    {
        await using var guard = new GuardFixture(server =>
        {
            Policy(meta)(server);
            server.With(section, settings);
        });
        await using McpClient client = await guard.ConnectAsync(AskingServer.Create(version, method, asked), host.Options);
        return ((TextContentBlock)(await client.CallToolAsync("echo")).Content[0]).Text;
    }

    private static string[] KeysOf(JsonNode? value) => [.. value!["_meta"]!.AsObject().Select(member => member.Key)];
}
