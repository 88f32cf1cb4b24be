using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Gateway;

/// <summary>A gateway over real loopback HTTP, in both protocol eras and every session mode of the SDK.</summary>
[TestFixture(HttpServerSessionMode.Stateful, "2025-11-25")]
[TestFixture(HttpServerSessionMode.StatefulForInitializeClients, "2025-11-25")]
[TestFixture(HttpServerSessionMode.StatefulForInitializeClients, "2026-07-28")]
[TestFixture(HttpServerSessionMode.Stateless, "2026-07-28")]
internal sealed class HttpGatewayTests(HttpServerSessionMode mode, string protocolVersion)
{
    private static readonly Dictionary<string, object?> Word = new() { ["word"] = "x" };

    private Task<HttpGateway> Start(Action<GuardServerBuilder>? behind = null) => HttpGateway.StartAsync(mode, behind ?? (settings => settings.Allow("echo", "echo")));

    private static string TextOf(CallToolResult result) => string.Join('\n', result.Content.OfType<TextContentBlock>().Select(block => block.Text));

    [Test]
    public async Task Calls_OwnAndPassedOn_AsTheAuthenticatedUser()
    {
        await using HttpGateway gateway = await Start();
        await using McpClient client = await gateway.ConnectAsync("ada", protocolVersion);

        IList<McpClientTool> tools = await client.ListToolsAsync();
        CallToolResult passed = await client.CallToolAsync("behind__echo", Word);
        CallToolResult own = await client.CallToolAsync("free", Word);

        Assert.Multiple(() =>
        {
            Assert.That(tools.Select(tool => tool.Name), Is.EquivalentTo((string[])["own", "free", "behind__echo"]));
            Assert.That(TextOf(passed), Is.EqualTo("behind x"));
            Assert.That(TextOf(own), Is.EqualTo("free x"));
            Assert.That(
                gateway.Audit.Records.Where(record => record is { Kind: AuditKind.Intent, Method: "tools/call" }).Select(record => (record.Server, record.Target, record.UserId)),
                Is.EqualTo(((string?, string?, string?)[])[("behind", "echo", "ada"), ("gateway", "free", "ada")]));
        });
    }

    [Test]
    public async Task Calls_NotAuthenticated_Denied()
    {
        await using HttpGateway gateway = await Start();
        await using McpClient client = await gateway.ConnectAsync(null, protocolVersion);
        Assert.That(TextOf(await client.CallToolAsync("behind__echo", Word)), Does.Contain("[caller-required]"));
        Assert.That(TextOf(await client.CallToolAsync("free", Word)), Does.Contain("[caller-required]"));
        Assert.That(gateway.Calls, Is.Zero);
    }

    [TestCase("behind__echo", "echo", "behind x")]
    [TestCase("own", "own", "own x")]
    public async Task Consent_ByElicitation_YesAndNo(string name, string shown, string expected)
    {
        await using HttpGateway gateway = await Start(settings => settings.Ask("ask", "echo"));
        var asked = new List<string>();
        string word = "once";
        await using McpClient client = await gateway.ConnectAsync("ada", protocolVersion, form =>
        {
            asked.Add(form.Message!);
            return HttpGateway.Say(word);
        });

        CallToolResult yes = await client.CallToolAsync(name, Word);
        word = "no";
        CallToolResult no = await client.CallToolAsync(name, Word);

        Assert.Multiple(() =>
        {
            Assert.That(TextOf(yes), Is.EqualTo(expected));
            Assert.That(TextOf(no), Does.Contain("[consent-denied]"));
            Assert.That(asked, Has.Count.EqualTo(2));
            Assert.That(asked, Has.All.Contain($"Allow tool '{shown}'").And.All.Contain("On behalf of: ada"));
        });
    }

    [Test]
    public async Task Consent_GrantOfOneUser_DoesNotCoverAnother()
    {
        await using HttpGateway gateway = await Start(settings => settings.Ask("ask", "echo"));
        await using McpClient ada = await gateway.ConnectAsync("ada", protocolVersion, _ => HttpGateway.Say("tool"));
        await using McpClient bob = await gateway.ConnectAsync("bob", protocolVersion, _ => HttpGateway.Say("no"));
        await using McpClient again = await gateway.ConnectAsync("ada", protocolVersion, _ => HttpGateway.Say("no"));

        Assert.That(TextOf(await ada.CallToolAsync("behind__echo", Word)), Is.EqualTo("behind x"));
        Assert.That(TextOf(await bob.CallToolAsync("behind__echo", Word)), Does.Contain("[consent-denied]"));
        Assert.That(TextOf(await again.CallToolAsync("behind__echo", Word)), Is.EqualTo("behind x"), "the same login, another connection");
        Assert.That(gateway.Calls, Is.EqualTo(2));
    }

    [Test]
    public async Task Consent_BothUsersAskedAtOnce_EachAnswersForOneself()
    {
        await using HttpGateway gateway = await Start(settings => settings.Ask("ask", "echo"));
        await using McpClient ada = await gateway.ConnectAsync("ada", protocolVersion, form => HttpGateway.Say(form.Message!.Contains("On behalf of: ada", StringComparison.Ordinal) ? "once" : "no"));
        await using McpClient bob = await gateway.ConnectAsync("bob", protocolVersion, form => HttpGateway.Say("no"));

        CallToolResult[] results = await Task.WhenAll(ada.CallToolAsync("behind__echo", Word).AsTask(), bob.CallToolAsync("behind__echo", Word).AsTask());

        Assert.That(TextOf(results[0]), Is.EqualTo("behind x"));
        Assert.That(TextOf(results[1]), Does.Contain("[consent-denied]"));
        Assert.That(gateway.Calls, Is.EqualTo(1));
    }

    [Test]
    public async Task Consent_ClientWithoutForms_Unavailable()
    {
        await using HttpGateway gateway = await Start(settings => settings.Ask("ask", "echo"));
        await using McpClient client = await gateway.ConnectAsync("ada", protocolVersion);
        Assert.That(TextOf(await client.CallToolAsync("behind__echo", Word)), Does.Contain("[consent-unavailable]"));
        Assert.That(gateway.Calls, Is.Zero);
    }

    [TestCase("other caller")]
    [TestCase("other arguments")]
    [TestCase("other tool")]
    [TestCase("twice")]
    [TestCase("without an answer")]
    [TestCase("forged state")]
    public async Task Retry_NotWhatWasAsked_NeverReachesTheServerForIt(string attack)
    {
        if (protocolVersion != "2026-07-28")
        {
            Assert.Ignore("Questions travel in results only since 2026-07-28.");
        }

        await using HttpGateway gateway = await Start(settings => settings.Ask("ask", "echo"));
        using var http = new HttpClient();
        JsonObject asked = await PostAsync(http, gateway, "ada", "behind__echo", "x", null, null);
        Assert.That(asked["result"]!["resultType"]!.GetValue<string>(), Is.EqualTo("input_required"), asked.ToJsonString());
        string state = asked["result"]!["requestState"]!.GetValue<string>();
        string key = asked["result"]!["inputRequests"]!.AsObject().Single().Key;
        JsonObject yes = new() { [key] = new JsonObject { ["action"] = "accept", ["content"] = new JsonObject { ["answer"] = "once" } } };

        JsonObject reply = attack switch
        {
            "other caller" => await PostAsync(http, gateway, "bob", "behind__echo", "x", state, yes),
            "other arguments" => await PostAsync(http, gateway, "ada", "behind__echo", "y", state, yes),
            "other tool" => await PostAsync(http, gateway, "ada", "own", "x", state, yes),
            "without an answer" => await PostAsync(http, gateway, "ada", "behind__echo", "x", state, null),
            "forged state" => await PostAsync(http, gateway, "ada", "behind__echo", "x", "mcp-guard-0123456789abcdef0123456789abcdef", yes),
            _ => await PostAsync(http, gateway, "ada", "behind__echo", "x", state, (JsonObject)yes.DeepClone()),
        };
        if (attack == "twice")
        {
            Assert.That(reply.ToJsonString(), Does.Contain("behind x"));
            reply = await PostAsync(http, gateway, "ada", "behind__echo", "x", state, yes);
        }

        Assert.That(reply["result"]!["isError"]!.GetValue<bool>(), Is.True, reply.ToJsonString());
        Assert.That(reply.ToJsonString(), Does.Contain(attack == "without an answer" ? "[consent-denied]" : "[continuation-invalid]"));
        Assert.That(gateway.Calls, Is.EqualTo(attack == "twice" ? 1 : 0));
        if (attack == "other caller")
        {
            // A stranger's attempt does not spend what is Ada's.
            Assert.That((await PostAsync(http, gateway, "ada", "behind__echo", "x", state, (JsonObject)yes.DeepClone())).ToJsonString(), Does.Contain("behind x"));
        }
    }

    private static async Task<JsonObject> PostAsync(HttpClient http, HttpGateway gateway, string user, string tool, string word, string? state, JsonObject? answers)
    {
        var parameters = new JsonObject
        {
            ["name"] = tool,
            ["arguments"] = new JsonObject { ["word"] = word },
            ["_meta"] = new JsonObject
            {
                ["io.modelcontextprotocol/protocolVersion"] = "2026-07-28",
                ["io.modelcontextprotocol/clientInfo"] = new JsonObject { ["name"] = "ada", ["version"] = "1" },
                ["io.modelcontextprotocol/clientCapabilities"] = new JsonObject { ["elicitation"] = new JsonObject { ["form"] = new JsonObject() } },
            },
        };
        if (state is not null)
        {
            parameters["requestState"] = state;
        }

        if (answers is not null)
        {
            parameters["inputResponses"] = answers;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, gateway.Url)
        {
            Content = new StringContent(
                new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 1, ["method"] = "tools/call", ["params"] = parameters }.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Accept.ParseAdd("application/json");
        request.Headers.Accept.ParseAdd("text/event-stream");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "token-of-" + user);
        request.Headers.Add("Mcp-Protocol-Version", "2026-07-28");
        request.Headers.Add("Mcp-Method", "tools/call");
        request.Headers.Add("Mcp-Name", tool);
        using HttpResponseMessage response = await http.SendAsync(request);
        string body = await response.Content.ReadAsStringAsync();
        string json = body.Split('\n').FirstOrDefault(line => line.StartsWith("data:", StringComparison.Ordinal))?[5..] ?? body;
        return (JsonObject)JsonNode.Parse(json)!;
    }
}
