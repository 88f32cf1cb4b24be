using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>Everything beside tools that a gateway passes on: each pair of the protocol eras of its client and of the server behind it, over streams.</summary>
[TestFixture("2025-11-25", "2025-11-25")]
[TestFixture("2025-11-25", null)]
[TestFixture("2026-07-28", "2025-11-25")]
[TestFixture("2026-07-28", null)]
internal sealed class GatewayForwardingTests(string clientEra, string? serverEra)
{
    private static readonly ClaimsPrincipal Ada = GatewayFixture.User("ada");

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private bool IsOldClient => clientEra == "2025-11-25";

    private static string TextOf(CallToolResult result) => GatewayFixture.TextOf(result);


    private Task<McpClient> Connect(GatewayFixture gateway, Action<McpClientHandlers>? configure = null) => gateway.ConnectAsync(Ada, protocolVersion: clientEra, configure: configure);

    private static async Task<bool> FailsAsync(McpClient client, string tool)
    {
        try
        {
            return (await client.CallToolAsync(tool)).IsError == true;
        }
        catch (McpException)
        {
            return true;
        }
    }

    [Test]
    public async Task Lists_OfTheServerBehind_AllPagesUnderTheirNames()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        McpClient client = await Connect(gateway);

        IList<McpClientResource> resources = await client.ListResourcesAsync();
        IList<McpClientResourceTemplate> templates = await client.ListResourceTemplatesAsync();
        IList<McpClientPrompt> prompts = await client.ListPromptsAsync();
        Assert.Multiple(() =>
        {
            Assert.That(resources.Select(resource => resource.Uri), Is.EqualTo((string[])["test://a", "test://one/own"]));
            Assert.That(resources[0].ProtocolResource.MimeType, Is.EqualTo("text/plain"));
            Assert.That(templates.Select(template => template.UriTemplate), Is.EqualTo((string[])["test://one/t/{id}"]));
            Assert.That(prompts.Select(prompt => prompt.Name), Is.EqualTo((string[])["behind__greet"]));
            Assert.That(prompts[0].ProtocolPrompt.Arguments!.Single().Name, Is.EqualTo("who"));
        });
    }

    [Test]
    public async Task Read_ResourceTemplateAndUnlisted_JudgedOnceOnBehalfOfTheUser()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        McpClient client = await Connect(gateway);

        foreach (string uri in (string[])["test://a", "test://one/t/7", "test://unlisted"])
        {
            ReadResourceResult read = await client.ReadResourceAsync(uri);
            Assert.That(((TextResourceContents)read.Contents.Single()).Text, Is.EqualTo("one has " + uri));
        }

        AuditRecord[] intents = [.. gateway.Audit.Records.Where(record => record is { Kind: AuditKind.Intent, Method: "resources/read" })];
        Assert.That(intents.Select(record => (record.Server, record.Target, record.UserId)), Is.EqualTo((IEnumerable<(string, string, string)>)
            [("behind", "test://a", "ada"), ("behind", "test://one/t/7", "ada"), ("behind", "test://unlisted", "ada")]));
    }

    [Test]
    public async Task Read_DeniedByRuleOrRefusedByTheServer_ErrorsApart()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(
            behind: settings => settings.With("rules", """{"no":{"resources":["test://one/*"],"effect":"deny"}}"""), transport: server.Connect);
        McpClient client = await Connect(gateway);

        Assert.That(async () => await client.ReadResourceAsync("test://one/own"), Throws.InstanceOf<McpProtocolException>().With.Message.Contains("[rule-denied]"));
        McpProtocolException? absent = await Assert.ThrowsAsync<McpProtocolException>(async () => await client.ReadResourceAsync("test://absent/absent"));
        Assert.That(absent!.Message, Does.Not.Contain("[").And.Contain("no such resource"));
        Assert.That(absent.Message.Split("(remote)"), Has.Length.EqualTo(2), "the words of one hop only");
        Assert.That(server.Reads, Is.EqualTo((string[])["test://absent/absent"]));
        Assert.That((await client.ListResourcesAsync()).Select(resource => resource.Uri), Is.EqualTo((string[])["test://a"]));
    }

    [Test]
    public async Task Prompt_WithArguments_AsTheServerHasIt()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        McpClient client = await Connect(gateway);

        GetPromptResult prompt = await client.GetPromptAsync("behind__greet", new Dictionary<string, object?> { ["who"] = "Ada" });

        Assert.That(((TextContentBlock)prompt.Messages.Single().Content).Text, Is.EqualTo("one greets Ada"));
        Assert.That(prompt.Description, Is.EqualTo("A greeting."));
        Assert.That(async () => await client.GetPromptAsync("greet"), Throws.InstanceOf<McpException>());
        Assert.That(async () => await client.GetPromptAsync("other__greet"), Throws.InstanceOf<McpException>());
    }

    [Test]
    public async Task Completion_OnlyWhereThePolicyAllowsIt()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var off = new GatewayFixture(transport: server.Connect);
        McpClient refused = await Connect(off);
        Assert.That(refused.ServerCapabilities.Completions, Is.Null);
        Assert.That(async () => await refused.CompleteAsync(new PromptReference { Name = "behind__greet" }, "who", "A"), Throws.InstanceOf<McpException>());

        await using var on = new GatewayFixture(behind: settings => settings.Allow("all", "*").With("allowCompletion", "true"), transport: server.Connect);
        McpClient client = await Connect(on);
        CompleteResult prompt = await client.CompleteAsync(new PromptReference { Name = "behind__greet" }, "who", "A");
        CompleteResult resource = await client.CompleteAsync(new ResourceTemplateReference { Uri = "test://one/t/{id}" }, "id", "7");
        Assert.That(prompt.Completion.Values.Concat(resource.Completion.Values), Is.EqualTo((string[])["greet:A", "test://one/t/{id}:7"]));
    }

    [Test]
    public async Task Progress_OfACall_InOrderAndBeforeItsResult()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        RawClient client = await RawClient.ConnectAsync(gateway, Ada, clientEra);

        JsonNode result = await client.CallAsync("behind__report", token: "mine");

        string[] before = [.. client.Received.SkipWhile(message => message is JsonRpcResponse).TakeWhile(message => message is not JsonRpcResponse).OfType<JsonRpcNotification>()
            .Where(told => told.Method == "notifications/progress" && (string?)told.Params!["progressToken"] == "mine")
            .Select(told => (string)told.Params!["message"]!)];
        string[] expected = [.. Enumerable.Range(1, 20).Select(i => "step " + i)];
        Assert.That(before, Is.EqualTo(expected));
        Assert.That((bool?)result["isError"], Is.Not.True);
    }

    [Test]
    public async Task Log_OfACall_AtTheLevelThatTheClientSet()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        RawClient client = await RawClient.ConnectAsync(gateway, Ada, clientEra);
        if (IsOldClient)
        {
            await client.RequestAsync("logging/setLevel", new JsonObject { ["level"] = "info" });
        }

        await client.CallAsync("behind__report", level: "info");

        JsonRpcNotification[] lines = [.. client.Received.OfType<JsonRpcNotification>().Where(told => told.Method == "notifications/message")];
        Assert.That(lines.Select(line => (string)line.Params!["data"]!).ToArray(), Is.EqualTo((string[])["a line"]));
        if (!IsOldClient)
        {
            RawClient silent = await RawClient.ConnectAsync(gateway, Ada, clientEra);
            await silent.CallAsync("behind__report");
            Assert.That(silent.Received.OfType<JsonRpcNotification>().Where(told => told.Method == "notifications/message"), Is.Empty, "nothing asked for log lines");
        }
        else if (serverEra is not null)
        {
            Assert.That(server.Levels, Has.Some.EqualTo("info"));
        }
    }

    [Test]
    public async Task Log_AfterACallOfAnotherCaller_ToNobody()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        RawClient ada = await RawClient.ConnectAsync(gateway, Ada, clientEra);
        RawClient bob = await RawClient.ConnectAsync(gateway, GatewayFixture.User("bob"), clientEra);
        if (IsOldClient)
        {
            await ada.RequestAsync("logging/setLevel", new JsonObject { ["level"] = "debug" });
            await bob.RequestAsync("logging/setLevel", new JsonObject { ["level"] = "debug" });
        }

        await ada.CallAsync("behind__report", level: "debug");
        JsonNode result = await bob.CallAsync("behind__report", level: "debug");

        // What the server writes while only this request is open may still be about the one before.
        Assert.That((bool?)result["isError"], Is.Not.True);
        Assert.That(bob.Received.OfType<JsonRpcNotification>().Where(told => told.Method == "notifications/message"), Is.Empty);
        Assert.That(ada.Received.OfType<JsonRpcNotification>().Count(told => told.Method == "notifications/message"), Is.EqualTo(2));
    }

    [Test]
    public async Task Cancel_ByTheClient_ReachesTheServer()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        RawClient client = await RawClient.ConnectAsync(gateway, Ada, clientEra);
        _ = client.CallAsync("behind__wait");
        await server.Started.Task.WaitAsync(Patience);

        await client.CancelAsync();

        await server.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(15));
        await Eventually.True(() => gateway.Audit.Records.Any(record => record is { Kind: AuditKind.Outcome, Target: "wait", Decision: "cancelled" }));
    }

    [Test]
    public async Task EndOfTheSession_DuringACall_ReachesTheServer()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        McpClient client = await Connect(gateway);
        Task<CallToolResult> call = client.CallToolAsync("behind__wait").AsTask();
        await server.Started.Task.WaitAsync(Patience);

        await gateway.EndSessionAsync(client);

        // Half of a call's default time-out: it is not that which ended it.
        await server.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(15));
        Assert.That(async () => await call, Throws.Exception);
    }

    [Test]
    public async Task Crash_OfTheServerDuringACall_OneDenialAndThenANewConnection()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        McpClient client = await Connect(gateway);
        Task<CallToolResult> call = client.CallToolAsync("behind__wait").AsTask();
        await server.Started.Task.WaitAsync(Patience);

        server.Crash();

        Assert.That(TextOf(await call.WaitAsync(Patience)), Does.Contain("[server-unavailable]"));
        await Eventually.TrueAsync(async () => TextOf(await client.CallToolAsync("behind__echo", new Dictionary<string, object?> { ["word"] = "again" })) == "one again");
        Assert.That(server.Starts, Is.GreaterThanOrEqualTo(2));
    }

    [Test]
    public async Task Sampling_WherePolicyAllows_AsksTheClientAndElseIsRefused()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(
            behind: settings => settings.Allow("all", "*").With("sampling", """{"allow":true}"""), transport: server.Connect);
        McpClient client = await gateway.ConnectAsync(
            Ada,
            (_, _) => new(GatewayFixture.Answer("once")),
            clientEra,
            configure: handlers => handlers.SamplingHandler = (asked, _, _) => new(new CreateMessageResult
            {
                Model = "m",
                Role = Role.Assistant,
                Content = [new TextContentBlock { Text = "answer to " + asked!.Messages[0].Content.OfType<TextContentBlock>().First().Text }],
            }));
        Assert.That(TextOf(await client.CallToolAsync("behind__sample")), Does.StartWith("model: answer to").And.Contains("a question"));
        Assert.That(gateway.Questions, Has.Count.EqualTo(1), "a person is asked before a server reaches the client's model");

        McpClient without = await gateway.ConnectAsync(Ada, (_, _) => new(GatewayFixture.Answer("once")), clientEra);
        Assert.That(await FailsAsync(without, "behind__sample"));

        await using var off = new GatewayFixture(transport: new ConformingServer("two", serverEra).Connect);
        McpClient refused = await Connect(off, handlers => handlers.SamplingHandler = (_, _, _) => throw new InvalidOperationException("must not be asked"));
        Assert.That(await FailsAsync(refused, "behind__sample"));
    }

    [Test]
    public async Task Elicitation_WherePolicyAllows_ShownUnderTheGuardsHeading()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(behind: settings => settings.Allow("all", "*").With("elicitation", """{"allow":true}"""), transport: server.Connect);
        McpClient client = await gateway.ConnectAsync(
            Ada,
            (_, _) => new(new ElicitResult { Action = "accept", Content = new Dictionary<string, JsonElement> { ["colour"] = JsonSerializer.SerializeToElement("red") } }),
            clientEra);
        Assert.That(TextOf(await client.CallToolAsync("behind__elicit")), Is.EqualTo("accept: red"));
        Assert.That(gateway.Questions.Single().Message, Does.StartWith("Server 'behind' asks the following, during 'elicit'.").And.Contain("> \"Which colour?\""));
    }

    [Test]
    public async Task ListChanged_OfTheServer_ToldToTheClient()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        RawClient client = await RawClient.ConnectAsync(gateway, Ada, clientEra);
        if (!IsOldClient)
        {
            await client.ListenAsync(new JsonObject { ["toolsListChanged"] = true });
        }

        await client.RequestAsync("tools/list", []);
        await Eventually.TrueAsync(async () =>
        {
            // The stream to a server of the newer era opens beside the first request.
            server.Tools.Add(McpServerTool.Create(() => "new", new McpServerToolCreateOptions { Name = "new" + Guid.NewGuid().ToString("N") }));
            await Task.Delay(20);
            return client.Received.OfType<JsonRpcNotification>().Any(told => told.Method == "notifications/tools/list_changed");
        });
        JsonNode listed = await client.RequestAsync("tools/list", []);
        Assert.That(listed["tools"]!.AsArray().Select(tool => (string)tool!["name"]!), Has.Some.StartsWith("behind__new"));
        JsonRpcNotification changed = client.Received.OfType<JsonRpcNotification>().First(told => told.Method == "notifications/tools/list_changed");
        Assert.That((string?)changed.Params?["_meta"]?["io.modelcontextprotocol/subscriptionId"], Is.EqualTo(IsOldClient ? null : "listen-1"));
    }

    [Test]
    public async Task Subscription_UpdatesOnlyOfWhatTheClientSubscribedTo()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(
            behind: settings => settings.With("rules", """{"all":{"tools":["*"],"effect":"allow"},"no":{"resources":["test://secret"],"effect":"deny"}}"""), transport: server.Connect);
        RawClient client = await RawClient.ConnectAsync(gateway, Ada, clientEra);
        RawClient other = await RawClient.ConnectAsync(gateway, GatewayFixture.User("bob"), clientEra);
        if (IsOldClient)
        {
            await client.RequestAsync("resources/subscribe", new JsonObject { ["uri"] = "test://a" });
            Assert.That(async () => await client.RequestAsync("resources/subscribe", new JsonObject { ["uri"] = "test://secret" }), Throws.InstanceOf<McpProtocolException>());
        }
        else
        {
            JsonNode acknowledged = await client.ListenAsync(new JsonObject { ["resourceSubscriptions"] = new JsonArray("test://a", "test://secret") });
            Assert.That(acknowledged["notifications"]!["resourceSubscriptions"]!.ToJsonString(), Is.EqualTo("""["test://a"]"""));
        }

        foreach (string uri in (string[])["test://secret", "test://b", "test://a"])
        {
            await other.CallAsync("behind__touch", arguments: new JsonObject { ["uri"] = uri });
        }

        await Eventually.True(() => Updates(client).Length > 0);
        Assert.That(Updates(client), Is.EqualTo((string[])["test://a"]));
        Assert.That(Updates(other), Is.Empty);
        if (IsOldClient)
        {
            await client.RequestAsync("resources/unsubscribe", new JsonObject { ["uri"] = "test://a" });
            await other.CallAsync("behind__touch", arguments: new JsonObject { ["uri"] = "test://a" });
            Assert.That(Updates(client), Has.Length.EqualTo(1));
            if (serverEra is not null)
            {
                Assert.That(server.Subscriptions.ToArray(), Is.EqualTo((string[])["test://a", "-test://a"]));
            }
        }

        static string[] Updates(RawClient of) =>
            [.. of.Received.OfType<JsonRpcNotification>().Where(told => told.Method == "notifications/resources/updated").Select(told => (string)told.Params!["uri"]!)];
    }

    [Test]
    public async Task Notification_UnknownFromTheClient_DroppedAndRecorded()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(transport: server.Connect);
        McpClient client = await Connect(gateway);
        await client.SendMessageAsync(new JsonRpcNotification { Method = "notifications/tools/list_changed" });
        await client.SendMessageAsync(new JsonRpcNotification { Method = "notifications/evil", Params = new JsonObject { ["a"] = 1 } });
        await Eventually.True(() => gateway.Audit.Records.Any(record => record is { Kind: AuditKind.Denial, Method: "notifications/evil", UserId: "ada" }));
        Assert.That(TextOf(await client.CallToolAsync("behind__echo", new Dictionary<string, object?> { ["word"] = "x" })), Is.EqualTo("one x"));
    }

    [Test]
    public async Task PlainNames_OneServer_AsTheServerHasThem()
    {
        await using var server = new ConformingServer("one", serverEra);
        await using var gateway = new GatewayFixture(options: options => options.QualifyNames = false, transport: server.Connect);
        McpClient client = await Connect(gateway);
        Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Does.Contain("echo"));
        Assert.That(TextOf(await client.CallToolAsync("echo", new Dictionary<string, object?> { ["word"] = "x" })), Is.EqualTo("one x"));
        Assert.That((await client.ListPromptsAsync()).Single().Name, Is.EqualTo("greet"));
        Assert.That((await client.GetPromptAsync("greet")).Messages, Has.Count.EqualTo(1));
    }
}
