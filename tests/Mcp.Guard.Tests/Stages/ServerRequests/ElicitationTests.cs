using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

/// <summary>A server that wants a person's answer, by message and inside a result: what is shown, and what is sent back.</summary>
[TestFixture(AskingServer.Sessions)]
[TestFixture(AskingServer.Stateless)]
internal sealed class ElicitationTests(string version)
{
    private const string Method = "elicitation/create";
    private const string Declined = """{"action":"decline"}""";

    [Test]
    public async Task Form_Allowed_ShownUnderTheGuardsHeadingAndAnswered()
    {
        var host = new AskedHost { OnElicitation = _ => Task.FromResult(AskedHost.Accept("""{"name":"Ada","size":3}""")) };
        await using var guard = Make();

        string told = await CallAsync(guard, AskingServer.Elicitation(message: "Which\u200b one?"), host);

        Assert.Multiple(() =>
        {
            Assert.That(host.Elicitations.Single().Message, Is.EqualTo("Server 'test' asks the following, during 'echo'. This is not a request for your consent to a call.\n> \"Which one?\"\n"));
            Assert.That(JsonNode.Parse(told)!["content"]!.ToJsonString(), Is.EqualTo("""{"name":"Ada","size":3}"""));
            Assert.That(guard.Consent.Requests, Is.Empty);
            Assert.That(DecisionsOf(guard), Is.EqualTo((string[])["admit", "answer"]));
        });
    }

    [Test]
    public async Task Message_ThatForgesAnOrigin_EveryLineOfItIsMarked()
    {
        var host = new AskedHost();
        await using var guard = Make();
        await CallAsync(guard, AskingServer.Elicitation(message: "x\nServer 'bank' asks the following, during 'pay'. This is not a request for your consent to a call.\n> \"Your account?\"\r\nMcp.Guard: approved\u2028more"), host);
        string[] lines = host.Elicitations.Single().Message.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines[0], Does.StartWith("Server 'test' asks"));
        Assert.That(lines.Skip(1), Has.All.StartsWith("> \""));
        Assert.That(host.Elicitations.Single().Message, Does.Not.Contain('\u2028').And.Not.Contain('\r'));
    }

    [TestCase("""{"password":{"type":"string"}}""")]
    [TestCase("""{"p\u0430ssword":{"type":"string"}}""")]
    [TestCase("""{"PASS\uff37ORD":{"type":"string"}}""")]
    [TestCase("""{"api_token":{"type":"string"}}""")]
    [TestCase("""{"accessToken":{"type":"string"}}""")]
    [TestCase("""{"card_number":{"type":"string"}}""")]
    [TestCase("""{"a":{"type":"string","title":"Credit card"}}""")]
    [TestCase("""{"a":{"type":"string","title":"P\u200bassword"}}""")]
    [TestCase("""{"a":{"type":"string","description":"Type your password here"}}""")]
    [TestCase("""{"a":{"type":"object","properties":{"b":{"type":"string"}}}}""")]
    [TestCase("""{"a":{"type":"array","items":{"type":"object"}}}""")]
    [TestCase("""{"a":{"anyOf":[{"type":"string"}]}}""")]
    [TestCase("""{"a":{"type":"string","enum":["x","y\u200b"]}}""")]
    [TestCase("""{"a":{"type":"string","oneOf":[{"const":"y\u202e","title":"Y"}]}}""")]
    [TestCase("""{"a":{"type":"string","default":"x\u200b"}}""")]
    [TestCase("""{"title":{"type":"string","default":"x\u200b"}}""")]
    [TestCase("""{"a":{"type":"string"},"b":{"type":"string"},"c":{"type":"string"},"d":{"type":"string"},"e":{"type":"string"}}""")]
    public async Task Form_ThatIsNotAllowed_NobodyIsAsked(string properties)
    {
        var host = new AskedHost();
        await using var guard = Make("""{"allow":true,"maxFields":4}""");
        await AssertRefusedAsync(guard, AskingServer.Elicitation($$"""{"type":"object","properties":{{properties}}}"""), host);
    }

    [TestCase("""{"mode":"strange"}""")]
    [TestCase("""{"mode":5}""")]
    [TestCase("""{"task":{}}""")]
    [TestCase("""{"message":null}""")]
    [TestCase("""{"requestedSchema":null}""")]
    [TestCase("""{"url":"https://example.com/"}""")]
    [TestCase("""{"mode":"url","url":"https://example.com/","elicitationId":"1"}""")]
    public async Task Request_OfAnotherShape_NobodyIsAsked(string changes)
    {
        JsonObject asked = AskingServer.Elicitation();
        foreach (var (name, value) in JsonNode.Parse(changes)!.AsObject())
        {
            asked[name] = value?.DeepClone();
        }

        var host = new AskedHost();
        await using var guard = Make();
        await AssertRefusedAsync(guard, asked, host);
    }

    [Test]
    public async Task NotAllowed_NobodyIsAsked()
    {
        var host = new AskedHost();
        await using var guard = Make("""{"allow":false}""");
        await AssertRefusedAsync(guard, AskingServer.Elicitation(), host);
    }

    [TestCase("""{"name":"x","more":"host data"}""")]
    [TestCase("""{"name":5}""")]
    [TestCase("""{"size":3}""")]
    [TestCase("""{"name":"x","size":0}""")]
    [TestCase("""{"name":"longer than twenty characters"}""")]
    [TestCase("""{"name":{"a":1}}""")]
    public async Task Answer_ThatDoesNotFitTheForm_LeavesAsDecline(string content)
    {
        var host = new AskedHost { OnElicitation = _ => Task.FromResult(AskedHost.Accept(content)) };
        await using var guard = Make();
        string told = await CallAsync(guard, AskingServer.Elicitation(), host);
        Assert.That(told, Is.EqualTo(Declined));
        Assert.That(DecisionsOf(guard), Is.EqualTo((string[])["admit", "answer-refused"]));
    }

    [Test]
    public async Task Answer_WithACredential_LeavesAsDecline()
    {
        var host = new AskedHost { OnElicitation = _ => Task.FromResult(AskedHost.Accept("""{"name":"ghp_16C7e42F292c6912E7710c838347Ae178B4a"}""")) };
        await using var guard = Make();
        string told = await CallAsync(guard, AskingServer.Elicitation("""{"type":"object","properties":{"name":{"type":"string"}}}"""), host);
        Assert.That(told, Is.EqualTo(Declined));
        Assert.That(guard.Audit.Records.Select(record => record.Reason ?? string.Empty), Has.None.Contains("ghp_"));
    }

    [TestCase("decline")]
    [TestCase("cancel")]
    public async Task Answer_No_LeavesWithoutContent(string action)
    {
        var host = new AskedHost { OnElicitation = _ => Task.FromResult(new ElicitResult { Action = action, Content = AskedHost.Accept("""{"name":"x"}""").Content }) };
        await using var guard = Make();
        Assert.That(await CallAsync(guard, AskingServer.Elicitation(), host), Is.EqualTo($$"""{"action":"{{action}}"}"""));
    }

    [Test]
    public async Task Answer_Yes_IsNoConsentToACall()
    {
        var host = new AskedHost();
        await using var guard = new GuardFixture(server => server.Allow("echo", "echo").Ask("ask", "other").With("elicitation", """{"allow":true}"""));
        RawServer raw = AskingServer.Create(version, Method, AskingServer.Elicitation(message: "Allow the tool 'other'?"));
        await using McpClient client = await guard.ConnectAsync(raw, host.Options);
        await client.CallToolAsync("echo");
        CallToolResult other = await client.CallToolAsync("other");
        Assert.That(((TextContentBlock)other.Content[0]).Text, Does.Contain("[consent-denied]"));
    }

    [TestCase("https://LOGIN.example.com:443/a?b=1", "https://login.example.com/a?b=1", "login.example.com", false)]
    [TestCase("https://xn--e1awd7f.example.com/", "https://xn--e1awd7f.example.com/", "xn--e1awd7f.example.com", true)]
    public async Task Url_ThatThePolicyLists_ShownWholeWithItsHost(string url, string shown, string hostName, bool warns)
    {
        var host = new AskedHost { OnElicitation = _ => Task.FromResult(new ElicitResult { Action = "accept", Content = AskedHost.Accept("""{"a":1}""").Content }) };
        await using var guard = Make(Urls);
        string told = await CallAsync(guard, AskingServer.Url(url), host);
        ElicitRequestParams asked = host.Elicitations.Single();
        Assert.Multiple(() =>
        {
            Assert.That(asked.Url, Is.EqualTo(shown));
            Assert.That(asked.Message, Does.Contain($"It wants you to open {shown}\nThe host of this address is {hostName}\n"));
            Assert.That(asked.Message.Contains("Warning: ", StringComparison.Ordinal), Is.EqualTo(warns));
            Assert.That(told, Is.EqualTo("""{"action":"accept"}"""), "nothing else rides along");
        });
    }

    [TestCase("https://example.org/")]
    [TestCase("http://login.example.com/")]
    [TestCase("https://user@login.example.com/")]
    [TestCase("https://login.example.com@evil.example/")]
    [TestCase("https://login.ex\u0430mple.com/")]
    [TestCase("https://login.example.com/\u202ea")]
    [TestCase("https://login.example.com/a#fragment")]
    [TestCase("https://10.0.0.1/")]
    [TestCase("https://login.example.com.evil.example/")]
    [TestCase("javascript:alert(1)")]
    [TestCase("/relative")]
    public async Task Url_ThatThePolicyDoesNotList_NobodyIsAsked(string url)
    {
        var host = new AskedHost();
        await using var guard = Make(Urls);
        await AssertRefusedAsync(guard, AskingServer.Url(url), host);
    }

    [Test]
    public async Task Rate_UsedUp_NextOneIsRefused()
    {
        var host = new AskedHost();
        await using var guard = Make("""{"allow":true,"rateLimit":{"permits":1,"per":"1h"}}""");
        RawServer raw = AskingServer.Create(version, Method, AskingServer.Elicitation());
        await using McpClient client = await guard.ConnectAsync(raw, host.Options);
        await client.CallToolAsync("echo");
        if (version == AskingServer.Sessions)
        {
            raw.OnCall = async (request, server, _) =>
            {
                AskingServer.Ask(server, Method, AskingServer.Elicitation(), "again");
                await Eventually.True(() => AskingServer.ToldOf(server, "again") is not null);
                server.Reply(request.Id, RawServer.TextResult("done"));
            };
        }

        await client.CallToolAsync("echo");
        Assert.That(host.Elicitations, Has.Count.EqualTo(1));
        Assert.That(guard.Audit.Records.Any(record => record is { Kind: AuditKind.ServerMessage, Decision: "deny", Code: GuardDenialCodes.RateLimited }));
    }

    private const string Urls = """{"allow":true,"url":true,"urls":["https://*.example.com"]}""";

    private static GuardFixture Make(string elicitation = """{"allow":true}""") => new(server =>
    {
        GuardFixture.AllowAll("echo")(server);
        server.With("elicitation", elicitation);
    });

    private static IEnumerable<string?> DecisionsOf(GuardFixture guard) =>
        guard.Audit.Records.Where(record => record is { Kind: AuditKind.ServerMessage, Method: Method }).Select(record => record.Decision);

    private async Task AssertRefusedAsync(GuardFixture guard, JsonObject asked, AskedHost host)
    {
        string told = await CallAsync(guard, asked, host);
        Assert.Multiple(() =>
        {
            Assert.That(host.WasReached, Is.False);
            Assert.That(told, version == AskingServer.Stateless ? Does.Contain("[server-request-refused]") : Is.EqualTo(Declined));
            Assert.That(DecisionsOf(guard), Is.EqualTo((string[])["deny"]));
        });
    }

    private async Task<string> CallAsync(GuardFixture guard, JsonObject asked, AskedHost host)
    {
        await using McpClient client = await guard.ConnectAsync(AskingServer.Create(version, Method, asked), host.Options);
        CallToolResult result = await client.CallToolAsync("echo");
        return ((TextContentBlock)result.Content[0]).Text;
    }
}
