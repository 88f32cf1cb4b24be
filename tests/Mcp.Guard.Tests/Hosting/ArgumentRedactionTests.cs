using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using Mcp.Guard.Policy;
using Mcp.Guard.Testing;
using Mcp.Guard.Tests.Approvals;
using Mcp.Guard.Tests.Stages.ServerRequests;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary><c>redactArguments</c>: what the server receives, what a person is shown and what is on record are one value, without credentials.</summary>
[TestFixture]
internal sealed class ArgumentRedactionTests
{
    private const string Key = "AKIA" + "Z7QTX3PLM5RWK2HV";
    private const string Password = "hunter2-hunter2";

    private static JsonObject Given => new() { ["note"] = $"use {Key}", ["password"] = Password, ["deep"] = new JsonObject { ["list"] = new JsonArray(Password, 1, true, null) } };

    private static readonly string Expected = new JsonObject
    {
        ["note"] = "use [redacted:aws]",
        ["password"] = "[redacted:json-field]",
        ["deep"] = new JsonObject { ["list"] = new JsonArray("[redacted:repeated]", 1, true, null) },
    }.ToJsonString();

    private static readonly Action<GuardServerBuilder> Allowed = settings => GuardFixture.AllowAll("echo")(settings.RedactArguments());

    [Test]
    public async Task Call_PolicySaysNothing_ArgumentsLeaveAsTheyAre()
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        RawServer server = await CallAsync(guard, Given);
        Assert.That(server.Calls.Single().Params!["arguments"]!.ToJsonString(), Is.EqualTo(Given.ToJsonString()));
        Assert.That(guard.Audit.OfKind(AuditKind.Intent)[^1].Changes, Is.Empty);
    }

    [Test]
    public async Task Call_Credentials_ServerReceivesAndAuditHoldsTheSameRedactedValueAndItsChange()
    {
        await using var guard = new GuardFixture(Allowed, policy: policy => policy.Audit("arguments", "\"full\""));
        RawServer server = await CallAsync(guard, Given);

        AuditRecord intent = guard.Audit.OfKind(AuditKind.Intent)[^1];
        Assert.Multiple(() =>
        {
            Assert.That(server.Calls.Single().Params!["arguments"]!.ToJsonString(), Is.EqualTo(Expected));
            Assert.That(intent.Arguments.GetRawText(), Is.EqualTo(Expected));
            Assert.That(intent.Changes, Is.EqualTo((string[])["redaction:arguments"]));
        });
    }

    [Test]
    public async Task Call_ByDefaults_HoldsForEveryServer()
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), policy: policy => policy.Default("redactArguments", "true"));
        Assert.That((await CallAsync(guard, Given)).Calls.Single().Params!["arguments"]!.ToJsonString(), Is.EqualTo(Expected));
    }

    [Test]
    public async Task Call_ServerSaysNoOverTheDefault_ArgumentsLeaveAsTheyAre()
    {
        await using var guard = new GuardFixture(
            settings => GuardFixture.AllowAll("echo")(settings.With("redactArguments", "false")), policy: policy => policy.Default("redactArguments", "true"));
        Assert.That((await CallAsync(guard, Given)).Calls.Single().Params!["arguments"]!.ToJsonString(), Is.EqualTo(Given.ToJsonString()));
    }

    [Test]
    public async Task Call_WithoutCredentials_IsNotMarkedAsChanged()
    {
        await using var guard = new GuardFixture(Allowed);
        RawServer server = await CallAsync(guard, new JsonObject { ["n"] = 1.50m, ["text"] = "fine" });
        Assert.That(guard.Audit.OfKind(AuditKind.Intent)[^1].Changes, Is.Empty);
        Assert.That(server.Calls.Single().Params!["arguments"]!.ToJsonString(), Is.EqualTo("""{"n":1.50,"text":"fine"}"""));
    }

    [Test]
    public async Task Consent_ShowsWhatWillBeSent()
    {
        await using var guard = new GuardFixture(settings => settings.RedactArguments().Ask("ask", "echo"));
        guard.Consent.Then(ConsentAnswer.AllowOnce);
        RawServer server = await CallAsync(guard, Given);

        ConsentRequest asked = guard.Consent.Requests.Single();
        Assert.That(asked.Arguments.GetRawText(), Is.EqualTo(Expected));
        Assert.That(asked.ArgumentsForDisplay, Does.Contain("[redacted:aws]").And.Not.Contain(Password));
        Assert.That(server.Calls.Single().Params!["arguments"]!.ToJsonString(), Is.EqualTo(Expected));
    }

    [Test]
    public async Task Consent_PolicyTurnsItOnWhileAPersonIsAsked_CallIsDenied()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("mcp-guard.json");
        Write(path, folder.File("state"), redact: false);
        var consent = new ScriptedConsentProvider();
        var services = new ServiceCollection();
        services.AddMcpGuard(path).UseAudit(new AuditCollector()).UseConsent(consent);
        await using ServiceProvider provider = services.BuildServiceProvider();
        var guard = provider.GetRequiredService<McpGuardHost>();
        consent.Then(request =>
        {
            Write(path, folder.File("state"), redact: true);
            ((PolicyFileSource)guard.Runtime.Policy).Reload();
            return ConsentAnswer.AllowOnce(request);
        });
        var server = new RawServer();
        await using McpClient client = await McpClient.CreateAsync(guard.Protect("test", server));

        CallToolResult result = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["password"] = Password });

        Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("[consent-denied]"));
        Assert.That(server.Calls, Is.Empty);
    }

    private static void Write(string path, string state, bool redact) => File.WriteAllText(path, new JsonObject
    {
        ["stateDirectory"] = state,
        ["servers"] = new JsonObject
        {
            ["test"] = new JsonObject
            {
                ["hostProvided"] = true,
                ["redactArguments"] = redact,
                ["rules"] = new JsonObject { ["ask"] = new JsonObject { ["tools"] = new JsonArray("echo"), ["effect"] = "ask" } },
            },
        },
    }.ToJsonString());

    [Test]
    public async Task Rule_WithACondition_SeesTheRedactedValue()
    {
        await using var guard = new GuardFixture(settings => settings.RedactArguments()
            .Allow("all", "echo")
            .Deny("leak", rule => rule.Tools("echo").When("""{ "properties": { "note": { "pattern": "AKIA" } }, "required": ["note"] }""")));
        Assert.That((await CallAsync(guard, Given)).Calls, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Schema_ReplacementOfAnotherType_IsRefused()
    {
        await using var guard = new GuardFixture(Allowed);
        var server = new RawServer { Tools = [RawServer.Tool("echo", """{"type":"object","properties":{"pin":{"type":"integer"}}}""")] };
        await CallAsync(guard, new JsonObject { ["pin"] = 123456 }, server);
        Assert.That(server.Calls, Is.Empty);
        Assert.That(guard.Audit.OfKind(AuditKind.Denial)[^1].Code, Is.EqualTo(GuardDenialCodes.ArgumentsInvalid));
        Assert.That(guard.Audit.OfKind(AuditKind.Denial)[^1].Changes, Is.EqualTo((string[])["redaction:arguments"]));
    }

    [Test]
    public async Task RedactorOfTheHost_IsUsedAndOneThatThrowsDenies()
    {
        await using var guard = new GuardFixture(
            Allowed, builder => builder.UseContentRedactor(text => text == "boom" ? throw new InvalidOperationException("secret text") : text.Replace("ACME", "[customer]", StringComparison.Ordinal)));
        Assert.That((await CallAsync(guard, new JsonObject { ["who"] = "ACME" })).Calls.Single().Params!["arguments"]!.ToJsonString(), Is.EqualTo("""{"who":"[customer]"}"""));

        RawServer server = await CallAsync(guard, new JsonObject { ["who"] = "boom" });
        Assert.That(server.Calls, Is.Empty);
        Assert.That(guard.Audit.OfKind(AuditKind.Denial)[^1].Code, Is.EqualTo(GuardDenialCodes.GuardFault));
        Assert.That(guard.Audit.OfKind(AuditKind.Denial)[^1].Reason, Does.Not.Contain("secret text"));
    }

    [Test]
    public async Task Prompt_ArgumentsAreRedacted()
    {
        JsonRpcRequest? got = null;
        var server = new RawServer
        {
            OnOther = (request, raw) =>
            {
                got = request;
                raw.Reply(request.Id, new JsonObject { ["messages"] = new JsonArray() });
                return Task.CompletedTask;
            },
        };
        await using var guard = new GuardFixture(settings => settings.RedactArguments());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.SendRequestAsync(new JsonRpcRequest { Method = "prompts/get", Params = new JsonObject { ["name"] = "p", ["arguments"] = new JsonObject { ["text"] = Key } } });
        Assert.That(got!.Params!["arguments"]!.ToJsonString(), Is.EqualTo("""{"text":"[redacted:aws]"}"""));
    }

    [Test]
    public async Task Completion_WhatIsTypedIsRedacted()
    {
        JsonRpcRequest? got = null;
        var server = new RawServer
        {
            OnOther = (request, raw) =>
            {
                got = request;
                raw.Reply(request.Id, new JsonObject { ["completion"] = new JsonObject { ["values"] = new JsonArray() } });
                return Task.CompletedTask;
            },
        };
        await using var guard = new GuardFixture(settings => settings.RedactArguments().With("allowCompletion", "true"));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.SendRequestAsync(new JsonRpcRequest
        {
            Method = "completion/complete",
            Params = new JsonObject
            {
                ["ref"] = new JsonObject { ["type"] = "ref/prompt", ["name"] = "p" },
                ["argument"] = new JsonObject { ["name"] = "password", ["value"] = Password },
                ["context"] = new JsonObject { ["arguments"] = new JsonObject { ["other"] = Key } },
            },
        });
        Assert.That(got!.Params!.ToJsonString(), Does.Not.Contain(Password).And.Not.Contain(Key));
    }

    [Test]
    public async Task Retry_AfterInputRequired_IsHeldToTheRedactedArguments()
    {
        RawServer server = AskingServer.Create(AskingServer.Stateless, "elicitation/create", AskingServer.Elicitation());
        await using var guard = new GuardFixture(settings => Allowed(settings.With("elicitation", """{ "allow": true }""")));
        await using McpClient client = await guard.ConnectAsync(server, new AskedHost().Options);

        CallToolResult result = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["password"] = Password });

        Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("accept"));
        Assert.That(server.Calls, Has.Count.EqualTo(2));
        Assert.That(server.Calls.Select(call => call.Params!["arguments"]!.ToJsonString()), Has.All.EqualTo("""{"password":"[redacted:json-field]"}"""));
    }

    [Test]
    public async Task Approval_OfAChatClient_IsAskedAboutAndHoldsForTheRedactedCall()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(settings => settings.RedactArguments().Ask("ask", "echo"));
        await using McpClient mcp = await guard.ConnectAsync(server);
        var model = new ScriptedChatClient();
        var options = new ChatOptions { Tools = await guard.Guard.ListToolsAsync(mcp) };
        IChatClient chat = model.AsBuilder().UseFunctionInvocation().Build().WithMcpGuardApprovals(guard.Guard);
        model.ThenCalls(("c1", "echo", new() { ["password"] = Password }));
        List<ChatMessage> history = [new(ChatRole.User, "do it")];
        using IDisposable scope = guard.Guard.BeginScope(new GuardCaller("ada", "chat-1"));
        ChatResponse first = await chat.GetResponseAsync(history, options);
        history.AddRange(first.Messages);
        ToolApprovalRequestContent asked = first.Messages.SelectMany(message => message.Contents).OfType<ToolApprovalRequestContent>().Single();
        Assert.That(asked.GetMcpGuardPrompt(), Does.Contain("[redacted:json-field]").And.Not.Contain(Password));
        history.Add(new(ChatRole.User, [asked.CreateResponse(true)]));
        await chat.GetResponseAsync(history, options);

        Assert.That(server.Calls.Single().Params!["arguments"]!.ToJsonString(), Is.EqualTo("""{"password":"[redacted:json-field]"}"""));
        Assert.That(guard.Consent.Requests, Is.Empty, "the approval was the consent");
    }

    private static async Task<RawServer> CallAsync(GuardFixture guard, JsonObject arguments, RawServer? server = null)
    {
        server ??= new RawServer();
        await using McpClient client = await guard.ConnectAsync(server);
        await client.SendRequestAsync(new JsonRpcRequest { Method = "tools/call", Params = new JsonObject { ["name"] = "echo", ["arguments"] = arguments.DeepClone() } });
        return server;
    }
}
