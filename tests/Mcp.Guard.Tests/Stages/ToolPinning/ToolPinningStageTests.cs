using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.ToolPinning;

/// <summary>Why a tool may not be called, or a person is asked first: the reason on record and in the prompt, through the whole guard.</summary>
[TestFixture]
internal sealed class ToolPinningStageTests
{
    [TestCase("absent", "tool-unknown", "the server lists no tool of this name")]
    [TestCase("two words", "tool-unknown", "the name is not one that a tool may have")]
    [TestCase("twin", "name-collision", "the name cannot be told from others (Twin)")]
    [TestCase("mcp_guard_x", "name-collision", "the name cannot be told from others (Reserved)")]
    public async Task Call_NameThatCannotBeUsed_SaysWhy(string name, string code, string reason)
    {
        var server = new RawServer { Tools = [RawServer.Tool("two words"), RawServer.Tool("twin"), RawServer.Tool("Twin"), RawServer.Tool("mcp_guard_x"), RawServer.Tool("fine")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.CallToolAsync(name);
        AuditRecord denial = guard.Audit.Records.Single(record => record.Code == code && record.Method == "tools/call");
        Assert.That(denial.Reason, Is.EqualTo(reason));
        Assert.That(server.Calls, Is.Empty);
    }

    [TestCase("deny", null)]
    [TestCase("ask", "its definition is flagged hidden-unicode, bidi")]
    public async Task Call_FlaggedDefinition_IsDeniedOrAskedAbout(string action, string? asked)
    {
        JsonObject tool = RawServer.Tool("echo");
        tool["description"] = "a\u200Bb\u202Ec";
        var server = new RawServer { Tools = [tool] };
        await using var guard = new GuardFixture(settings =>
        {
            GuardFixture.AllowAll("echo")(settings);
            settings.With("flags", $$"""{"bidi":"{{action}}"}""");
        });
        await using McpClient client = await guard.ConnectAsync(server);
        guard.Consent.Then(ConsentAnswer.AllowOnce);
        CallToolResult result = await client.CallToolAsync("echo");
        Assert.That(result.IsError == true, Is.EqualTo(asked is null));
        if (asked is null)
        {
            Assert.That(guard.Audit.Records.Single(record => record.Code == "rule-denied" && record.Method == "tools/call").Reason, Is.EqualTo("the definition is flagged hidden-unicode, bidi, which the policy refuses"));
        }
        else
        {
            Assert.That(guard.Consent.Requests.Single().Reasons, Is.EqualTo(new[] { asked }));
            Assert.That(server.Calls, Has.Count.EqualTo(1));
        }
    }

    [Test]
    public async Task Call_FlaggedAndRefused_IsDeniedUnasked()
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo")] };
        await using var guard = new GuardFixture(settings =>
        {
            GuardFixture.AllowAll("echo", "late")(settings);
            settings.With("flags", """{"bidi":"ask"}""");
        });
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        JsonObject late = RawServer.Tool("late");
        late["description"] = "a\u202Eb";
        server.Tools.Add((JsonNode)late);
        await client.ListToolsAsync();
        await guard.Guard.Reviews.RefuseAsync(guard.Guard.Reviews.List().Single().Id, "admin");
        await client.CallToolAsync("late");
        Assert.That(guard.Consent.Requests, Is.Empty);
        Assert.That(guard.Audit.Records.Single(record => record.Code == "tool-changed" && record.Method == "tools/call").Reason, Is.EqualTo("a person refused this definition"));
    }

    [TestCase(true, null)]
    [TestCase(false, "the tool appeared after its server was first seen")]
    public async Task Call_NewTool_AsksUnlessItsExactNameIsAllowed(bool exact, string? asked)
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo")] };
        await using var guard = new GuardFixture(exact ? GuardFixture.AllowAll("echo", "late") : GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        server.Tools.Add((JsonNode)RawServer.Tool("late"));
        await client.ListToolsAsync();
        guard.Consent.Then(ConsentAnswer.AllowOnce);
        Assert.That((await client.CallToolAsync("late")).IsError, Is.Not.True);
        Assert.That(guard.Consent.Requests.SelectMany(request => request.Reasons), asked is null ? Is.Empty : Has.Some.EqualTo(asked));
    }

    [TestCase("ask", 1)]
    [TestCase("deny", 0)]
    public async Task Call_NewToolThatIsNotAllowedByName_ExactNameAloneIsNotEnough(string effect, int asked)
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo")] };
        await using var guard = new GuardFixture(settings => _ = effect == "ask" ? settings.Ask("r", "late") : settings.Deny("r", "late"));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        server.Tools.Add((JsonNode)RawServer.Tool("late"));
        await client.ListToolsAsync();
        Assert.That((await client.CallToolAsync("late")).IsError, Is.True);
        Assert.That(guard.Consent.Requests.Count(request => request.Reasons.Contains("the tool appeared after its server was first seen")), Is.EqualTo(asked));
    }

    [Test]
    public async Task Call_ChangedTool_AsksWithTheReason()
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        server.Tools[0]!["description"] = "Second.";
        await client.ListToolsAsync();
        await client.CallToolAsync("echo");
        Assert.That(guard.Consent.Requests.Single().Reasons, Is.EqualTo(new[] { "the tool is not as it was approved" }));
    }

    [Test]
    public async Task Call_DefinitionThatChangesWhileThePersonReads_SaysSo()
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo")] };
        await using var guard = new GuardFixture(settings => settings.Ask("ask", "echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        guard.Consent.Then(async (request, _) =>
        {
            server.Tools[0]!["description"] = "Something worse.";
            server.Send(new JsonRpcNotification { Method = "notifications/tools/list_changed" });
            await Eventually.True(() => guard.Host.Runtime.Connections.All.Single().State.Tools.IsStale);
            return ConsentAnswer.AllowOnce(request);
        });
        await client.CallToolAsync("echo");
        Assert.That(guard.Audit.Records.Single(record => record.Code == "tool-changed" && record.Method == "tools/call").Reason, Is.EqualTo("the definition changed after the person had answered"));
        Assert.That(server.Calls, Is.Empty);
    }

    [Test]
    public async Task Call_PinsOutOfReach_SaysSo()
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), builder => builder.UsePinStore(_ => new UnreachablePinStore()));
        await using McpClient client = await guard.ConnectAsync(new RawServer { Tools = [RawServer.Tool("echo")] });
        await client.CallToolAsync("echo");
        Assert.That(guard.Audit.Records.Single(record => record.Code == "tool-changed" && record.Method == "tools/call").Reason, Is.EqualTo("the pins of this server are lost, damaged or out of reach"));
    }

    [Test]
    public async Task Call_OtherThanThePolicyPins_SaysSo()
    {
        await using var guard = new GuardFixture(settings =>
        {
            GuardFixture.AllowAll("echo")(settings);
            settings.Pin("echo", new string('a', 64));
        });
        await using McpClient client = await guard.ConnectAsync(new RawServer { Tools = [RawServer.Tool("echo")] });
        await client.CallToolAsync("echo");
        Assert.That(guard.Consent.Requests, Is.Empty);
        Assert.That(guard.Audit.Records.Single(record => record.Code == "tool-changed" && record.Method == "tools/call").Reason, Is.EqualTo("the definition is not the one that the policy pins"));
    }
}
