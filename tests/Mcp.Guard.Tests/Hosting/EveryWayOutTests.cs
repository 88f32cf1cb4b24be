using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>Every public way to send something through an SDK client ends at the guard.</summary>
[TestFixture]
internal sealed class EveryWayOutTests
{
    /// <summary>Members of <see cref="McpClient"/> and its base that send nothing to the server.</summary>
    private static readonly HashSet<string> Silent = new(StringComparer.Ordinal)
    {
        "CreateAsync", "ResumeSessionAsync", "RegisterNotificationHandler", "DisposeAsync", "AddKnownTools", "RemoveKnownTools", "ClearKnownTools",
        "ResolveInputRequestsAsync", "GetType", "ToString", "Equals", "GetHashCode",
    };

    /// <summary>What is tried for each sending member. A member of the SDK that is missing here fails the test below.</summary>
    private static readonly Dictionary<string, Func<McpClient, Task>> Ways = new(StringComparer.Ordinal)
    {
        ["PingAsync"] = client => client.PingAsync().AsTask(),
        ["ListToolsAsync"] = client => client.ListToolsAsync().AsTask(),
        ["ListPromptsAsync"] = client => client.ListPromptsAsync().AsTask(),
        ["GetPromptAsync"] = client => client.GetPromptAsync("p").AsTask(),
        ["ListResourcesAsync"] = client => client.ListResourcesAsync().AsTask(),
        ["ListResourceTemplatesAsync"] = client => client.ListResourceTemplatesAsync().AsTask(),
        ["ReadResourceAsync"] = client => client.ReadResourceAsync("test://x").AsTask(),
        ["CompleteAsync"] = client => client.CompleteAsync(new PromptReference { Name = "p" }, "a", "v").AsTask(),
        ["SubscribeToResourceAsync"] = client => client.SubscribeToResourceAsync("test://x"),
        ["UnsubscribeFromResourceAsync"] = client => client.UnsubscribeFromResourceAsync("test://x"),
        ["CallToolAsync"] = client => client.CallToolAsync("echo").AsTask(),
        ["CallToolRawAsync"] = client => client.CallToolAsync("echo").AsTask(),
        ["SetLoggingLevelAsync"] = client => client.SetLoggingLevelAsync(LoggingLevel.Debug),
        ["SendRequestAsync"] = client => client.SendRequestAsync(new JsonRpcRequest { Method = "tools/call", Params = new JsonObject { ["name"] = "echo" } }),
        ["SendNotificationAsync"] = client => client.SendNotificationAsync("notifications/anything"),
        ["NotifyProgressAsync"] = client => client.NotifyProgressAsync(new ProgressToken("t"), new ProgressNotificationValue { Progress = 1 }),
        ["SendMessageAsync"] = client => client.SendMessageAsync(new JsonRpcNotification { Method = "notifications/anything" }),
    };

    private static IEnumerable<string> SendingMembers() =>
        typeof(McpClient).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static)
            .Concat(typeof(McpSession).GetMethods(BindingFlags.Public | BindingFlags.Instance))
            .Where(method => !method.IsSpecialName && !Silent.Contains(method.Name))
            .Select(method => method.Name)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(SendingMembers))]
    public void Sdk_EverySendingMember_IsTried(string member) =>
        Assert.That(Ways, Does.ContainKey(member), $"the SDK has a member '{member}' that this suite does not try; add it to Ways (or to Silent, where it sends nothing)");

    [TestCaseSource(nameof(SendingMembers))]
    public async Task DenyAll_MemberOfTheClient_NothingReachesTheServer(string member)
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(
            settings => settings.Deny("nothing", rule => rule.Tools("*").Resources("*").Prompts("*")),
            builder => builder.AddStage(new DenyEverything(), before: GuardStages.KillSwitch));
        await using McpClient client = await guard.ConnectAsync(server);
        int before = server.Received.Count;

        try
        {
            await Ways[member](client);
        }
        catch (McpException)
        {
            // a denial of this side; what counts is what the server saw
        }

        Assert.That(server.Received.Skip(before), Is.Empty);
    }

    [Test]
    public async Task DenyAll_ToolObjects_NothingReachesTheServer()
    {
        var server = new RawServer();
        var gate = new DenyEverything { IsOpen = true };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), builder => builder.AddStage(gate, before: GuardStages.KillSwitch));
        await using McpClient client = await guard.ConnectAsync(server);
        McpClientTool tool = (await client.ListToolsAsync()).Single(candidate => candidate.Name == "echo");
        gate.IsOpen = false;
        int before = server.Received.Count;

        CallToolResult direct = await tool.CallAsync();
        object? asFunction = await tool.InvokeAsync(new Microsoft.Extensions.AI.AIFunctionArguments());
        object? renamed = await tool.WithName("other").InvokeAsync(new Microsoft.Extensions.AI.AIFunctionArguments());

        Assert.Multiple(() =>
        {
            Assert.That(direct.IsError, Is.True);
            Assert.That(JsonSerializer.Serialize(asFunction), Does.Contain("rule-denied"));
            Assert.That(JsonSerializer.Serialize(renamed), Does.Contain("rule-denied"));
            Assert.That(server.Received.Skip(before), Is.Empty);
        });
    }

    [TestCase("tasks/get")]
    [TestCase("tasks/cancel")]
    [TestCase("tools/Call")]
    [TestCase("tools/call ")]
    [TestCase("x/y")]
    public async Task SendRequest_MethodNotInTheTable_DeniedAndRecorded(string method)
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        int before = server.Received.Count;

        var denial = await Assert.ThrowsAsync<McpGuardException>(async () => await client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = new JsonObject() }));

        Assert.That(denial!.Code, Is.EqualTo(GuardDenialCodes.MethodNotAllowed));
        Assert.That(server.Received.Skip(before), Is.Empty);
        Assert.That(guard.Audit.OfKind(AuditKind.Denial).Select(record => record.Method), Does.Contain(method));
    }

    [TestCase("subscriptions/listen", """{"notifications":{"resourceSubscriptions":["test://open","test://secret"]}}""")]
    [TestCase("resources/subscribe", """{"uri":"test://secret"}""")]
    [TestCase("resources/read", """{"uri":"test://secret"}""")]
    public async Task SendRequest_ResourceThatARuleDenies_DeniedInEveryFormOfAsking(string method, string parameters)
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(settings => settings.Deny("no", rule => rule.Resources("test://secret*")));
        await using McpClient client = await guard.ConnectAsync(server);
        int before = server.Received.Count;

        var denial = await Assert.ThrowsAsync<McpGuardException>(async () => await client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = JsonNode.Parse(parameters) }));

        Assert.That(denial!.Code, Is.EqualTo(GuardDenialCodes.RuleDenied));
        Assert.That(server.Received.Skip(before), Is.Empty);
    }

    private sealed class DenyEverything : IGuardStage<GuardRequestContext>
    {
        private static readonly HashSet<string> Handshake = new(StringComparer.Ordinal) { "initialize", "server/discover" };

        public bool IsOpen { get; set; }

        public string Name => "deny-everything";

        public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct) =>
            new(IsOpen || Handshake.Contains(context.Method) ? GuardDecision.Continue : GuardDecision.Deny(GuardDenialCodes.RuleDenied, "everything is denied"));
    }
}
