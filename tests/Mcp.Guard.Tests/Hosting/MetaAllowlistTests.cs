using System.Text.Json.Nodes;
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

    private static string[] KeysOf(JsonNode? value) => [.. value!["_meta"]!.AsObject().Select(member => member.Key)];
}
