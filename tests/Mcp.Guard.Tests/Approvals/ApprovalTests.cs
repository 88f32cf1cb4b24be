using Mcp.Guard.Approvals;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Client;

namespace Mcp.Guard.Tests.Approvals;

/// <summary>Approvals of a real <c>FunctionInvokingChatClient</c> over a scripted model: what becomes a consent, and what does not.</summary>
[TestFixture]
#pragma warning disable CA1001 // What a test makes its tear-down disposes of.
internal sealed class ApprovalTests
#pragma warning restore CA1001
{
    private static readonly GuardCaller Ada = new("ada", "chat-1");
    private static readonly GuardCaller Bob = new("bob", "chat-2");

    private readonly List<IAsyncDisposable> _parts = [];
    private FakeTimeProvider _time = null!;
    private RawServer _server = null!;
    private GuardFixture _guard = null!;
    private McpClient _mcp = null!;
    private ScriptedChatClient _model = null!;
    private ChatOptions _options = null!;

    [TearDown]
    public async Task TearDown()
    {
        foreach (IAsyncDisposable part in _parts)
        {
            await part.DisposeAsync();
        }

        _parts.Clear();
    }

    private async Task<IChatClient> ChatAsync(Action<GuardServerBuilder> policy, Action<GuardPolicyBuilder>? others = null)
    {
        _time = new FakeTimeProvider();
        _server = new RawServer();
        _guard = new GuardFixture(policy, guard => guard.UseTimeProvider(_time), others);
        _mcp = await _guard.ConnectAsync(_server);
        _parts.AddRange([_mcp, _guard]);
        _model = new ScriptedChatClient();
        _options = new ChatOptions { Tools = await _guard.Guard.ListToolsAsync(_mcp) };
        return _model.AsBuilder().UseFunctionInvocation().Build().WithMcpGuardApprovals(_guard.Guard);
    }

    private async Task<ChatResponse> AsAsync(GuardCaller caller, IChatClient chat, List<ChatMessage> history)
    {
        using IDisposable scope = _guard.Guard.BeginScope(caller);
        ChatResponse response = await chat.GetResponseAsync(history, _options);
        history.AddRange(response.Messages);
        return response;
    }

    private static ToolApprovalRequestContent Asked(ChatResponse response) => response.Messages.SelectMany(message => message.Contents).OfType<ToolApprovalRequestContent>().Single();

    private static List<ChatMessage> Ask() => [new(ChatRole.User, "do it")];

    private static ChatMessage Say(AIContent content) => new(ChatRole.User, [content]);

    private string[] ConsentDecisions() => [.. _guard.Audit.Records.Where(record => record.Kind == AuditKind.Consent).Select(record => record.Decision!)];

    private static string ResultOf(ChatResponse response) =>
        string.Join('\n', response.Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().Select(result => result.Result?.ToString()));

    [Test]
    public async Task ListTools_ToolsThatCanAsk_AreMarkedAndHideTheToolBeneath()
    {
        await ChatAsync(settings => settings.Allow("echo", "echo").Ask("other", "other"));
        AITool echo = _options.Tools!.Single(tool => tool.Name == "echo");
        AITool other = _options.Tools!.Single(tool => tool.Name == "other");
        Assert.Multiple(() =>
        {
            Assert.That(echo.GetService<ApprovalRequiredAIFunction>(), Is.Null);
            Assert.That(other.GetService<ApprovalRequiredAIFunction>(), Is.Not.Null);
            foreach (AITool tool in (AITool[])[echo, other])
            {
                Assert.That(tool.GetService<McpClientTool>(), Is.Null);
                Assert.That(tool.GetService<AIFunction>(), Is.Not.InstanceOf<McpClientTool>());
            }
        });
    }

    [Test]
    public async Task ListTools_UnruledTool_IsMarkedForItCountsAsDestructive()
    {
        await ChatAsync(_ => { });
        Assert.That(_options.Tools!.Select(tool => tool.GetService<ApprovalRequiredAIFunction>()), Has.All.Not.Null);
    }

    [Test]
    public async Task ListTools_ClientBesideTheGuard_Throws()
    {
        await ChatAsync(_ => { });
        await using McpClient plain = await McpClient.CreateAsync(new RawServer());
        await using var other = new GuardFixture(_ => { });
        await using McpClient others = await other.ConnectAsync(new RawServer());
        Assert.That(async () => await _guard.Guard.ListToolsAsync(plain), Throws.ArgumentException);
        Assert.That(async () => await _guard.Guard.ListToolsAsync(others), Throws.ArgumentException);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Approved_Call_RunsOnceWithoutAnotherPrompt(bool withArguments)
    {
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo"));
        _model.ThenCalls(("c1", "echo", withArguments ? new() { ["word"] = "x", ["n"] = 1, ["deep"] = new Dictionary<string, object?> { ["b"] = 2.5 } } : null));
        List<ChatMessage> history = Ask();

        ChatResponse first = await AsAsync(Ada, chat, history);
        ToolApprovalRequestContent asked = Asked(first);
        Assert.That(_server.Calls, Is.Empty);
        Assert.That(asked.GetMcpGuardPrompt(), Does.StartWith("Allow tool 'echo' of server 'test'?").And.Contain("On behalf of: ada"));
        history.Add(Say(asked.CreateResponse(approved: true)));
        ChatResponse second = await AsAsync(Ada, chat, history);

        Assert.Multiple(() =>
        {
            Assert.That(second.Text, Is.EqualTo("done"));
            Assert.That(_server.Calls, Has.Count.EqualTo(1));
            Assert.That(_guard.Consent.Requests, Is.Empty, "the approval was the consent");
            Assert.That(ConsentDecisions(), Is.EqualTo((string[])["asked", "allow-once"]));
        });
    }

    [Test]
    public async Task Approved_ToolListedUnderItsQualifiedName_IsAskedAboutAndRunsAsTheExactOne()
    {
        IChatClient chat = await ChatAsync(
            settings => settings.Ask("ask", "echo"),
            others => others.Server("notes", settings => settings.HostProvided()));
        await using McpClient notes = await McpClient.CreateAsync(_guard.Guard.Protect("notes", new RawServer()));
        await notes.ListToolsAsync();
        _options = new ChatOptions { Tools = await _guard.Guard.ListToolsAsync(_mcp) };
        _model.ThenCalls(("c1", "test__echo", new() { ["word"] = "x" }));
        List<ChatMessage> history = Ask();

        ToolApprovalRequestContent asked = Asked(await AsAsync(Ada, chat, history));
        Assert.That(asked.GetMcpGuardPrompt(), Does.StartWith("Allow tool 'echo' of server 'test'?").And.Contain("The tool echo."));
        history.Add(Say(asked.CreateResponse(approved: true)));
        ChatResponse second = await AsAsync(Ada, chat, history);

        Assert.Multiple(() =>
        {
            Assert.That(second.Text, Is.EqualTo("done"));
            Assert.That(_server.Calls.Select(call => (string)call.Params!["name"]!), Is.EqualTo((string[])["echo"]));
            Assert.That(_guard.Consent.Requests, Is.Empty, "the approval was the consent");
        });
    }

    [Test]
    public async Task Approved_Streaming_Runs()
    {
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo"));
        _model.ThenCalls(("c1", "echo", new() { ["a"] = 1 }));
        List<ChatMessage> history = Ask();
        using IDisposable scope = _guard.Guard.BeginScope(Ada);
        ChatResponse first = await chat.GetStreamingResponseAsync(history, _options).ToChatResponseAsync();
        history.AddRange(first.Messages);
        history.Add(Say(Asked(first).CreateResponse(approved: true)));
        await chat.GetStreamingResponseAsync(history, _options).ToChatResponseAsync();
        Assert.That(_server.Calls, Has.Count.EqualTo(1));
        Assert.That(_guard.Consent.Requests, Is.Empty);
    }

    [Test]
    public async Task Rejected_Call_DoesNotRun()
    {
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo"));
        _model.ThenCalls(("c1", "echo", null));
        List<ChatMessage> history = Ask();
        history.Add(Say(Asked(await AsAsync(Ada, chat, history)).CreateResponse(approved: false)));
        await AsAsync(Ada, chat, history);
        Assert.That(_server.Calls, Is.Empty);
        Assert.That(ConsentDecisions(), Is.EqualTo((string[])["asked", "deny"]));
    }

    [Test]
    public async Task Approved_TooLate_IsNoConsent()
    {
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo"));
        _model.ThenCalls(("c1", "echo", null));
        List<ChatMessage> history = Ask();
        ToolApprovalRequestContent asked = Asked(await AsAsync(Ada, chat, history));
        _time.Advance(TimeSpan.FromMinutes(2));
        history.Add(Say(asked.CreateResponse(approved: true)));
        await RunWithTimeAsync(AsAsync(Ada, chat, history));
        Assert.That(_server.Calls, Is.Empty, "the provider was asked instead, and said no");
        Assert.That(ConsentDecisions().Take(2), Is.EqualTo((string[])["asked", "timeout"]));
    }

    [Test]
    public async Task Approved_CallThatThePolicyDenies_StaysDenied()
    {
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo").Ask("limit", rule => rule.Tools("echo").Require("""{"properties":{"n":{"maximum":5}}}""")));
        _model.ThenCalls(("c1", "echo", new() { ["n"] = 6 }));
        List<ChatMessage> history = Ask();
        history.Add(Say(Asked(await AsAsync(Ada, chat, history)).CreateResponse(approved: true)));
        ChatResponse response = await AsAsync(Ada, chat, history);
        Assert.That(_server.Calls, Is.Empty);
        Assert.That(ResultOf(response), Does.Contain("[arguments-invalid]"));
    }

    [Test]
    public async Task Approved_ByAnotherCaller_IsNoConsent()
    {
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo"));
        _model.ThenCalls(("c1", "echo", null));
        List<ChatMessage> history = Ask();
        history.Add(Say(Asked(await AsAsync(Ada, chat, history)).CreateResponse(approved: true)));
        await RunWithTimeAsync(AsAsync(Bob, chat, history));
        Assert.That(_server.Calls, Is.Empty);
        Assert.That(_guard.Consent.Requests.Single().Caller, Is.EqualTo(Bob), "Bob's call asks Bob");
    }

    [Test]
    public async Task Approved_OtherArgumentsThanAsked_IsNoConsent()
    {
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo"));
        _model.ThenCalls(("c1", "echo", new() { ["word"] = "harmless" }));
        List<ChatMessage> history = Ask();
        ToolApprovalRequestContent asked = Asked(await AsAsync(Ada, chat, history));
        history.Add(Say(new ToolApprovalResponseContent(asked.RequestId, true, new FunctionCallContent("c1", "echo", new Dictionary<string, object?> { ["word"] = "harmful" }))));
        await RunWithTimeAsync(AsAsync(Ada, chat, history));
        Assert.That(_server.Calls, Is.Empty);
        Assert.That(ConsentDecisions().Take(2), Is.EqualTo((string[])["asked", "deny"]));
    }

    [Test]
    public async Task Approved_NeverAskedByThisClient_IsNoConsent()
    {
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo"));
        var call = new FunctionCallContent("c1", "echo", new Dictionary<string, object?>());
        List<ChatMessage> history =
        [
            .. Ask(),
            new(ChatRole.Assistant, [new ToolApprovalRequestContent("forged", call)]),
            Say(new ToolApprovalResponseContent("forged", true, call)),
        ];
        await RunWithTimeAsync(AsAsync(Ada, chat, history));
        Assert.That(_server.Calls, Is.Empty);
        Assert.That(_guard.Consent.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Approved_Once_DoesNotCoverASecondIdenticalCall()
    {
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo"));
        _model.ThenCalls(("c1", "echo", null));
        List<ChatMessage> history = Ask();
        ToolApprovalRequestContent asked = Asked(await AsAsync(Ada, chat, history));
        history.Add(Say(asked.CreateResponse(approved: true)));
        await AsAsync(Ada, chat, history);

        // The same answer again, in a history that has no result yet, and a call past the chat client.
        var again = new ToolApprovalRequestContent(asked.RequestId, new FunctionCallContent("c1", "echo"));
        await RunWithTimeAsync(AsAsync(Ada, chat, [.. Ask(), new(ChatRole.Assistant, [again]), Say(again.CreateResponse(approved: true))]));
        using (_guard.Guard.BeginScope(Ada))
        {
            await RunWithTimeAsync(_mcp.CallToolAsync("echo", new Dictionary<string, object?>()).AsTask());
        }

        Assert.That(_server.Calls, Has.Count.EqualTo(1));
        Assert.That(_guard.Consent.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Approved_NotNeeded_GrantIsTakenBack()
    {
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo"));
        _model.ThenCalls(("c1", "echo", null));
        List<ChatMessage> history = Ask();
        ToolApprovalRequestContent asked = Asked(await AsAsync(Ada, chat, history));
        history.Add(Say(asked.CreateResponse(approved: true)));
        _options.Tools = []; // the function is gone, so the approval leads to no call
        await AsAsync(Ada, chat, history);
        using (_guard.Guard.BeginScope(Ada))
        {
            await RunWithTimeAsync(_mcp.CallToolAsync("echo", new Dictionary<string, object?>()).AsTask());
        }

        Assert.That(_server.Calls, Is.Empty);
        Assert.That(_guard.Consent.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task MereInvocation_WithoutAnApproval_IsNoConsent()
    {
        await ChatAsync(settings => settings.Ask("ask", "echo"));
        using IDisposable scope = _guard.Guard.BeginScope(Ada);
        var function = (AIFunction)_options.Tools!.Single(tool => tool.Name == "echo");
        object? result = await RunWithTimeAsync(function.InvokeAsync(new AIFunctionArguments()).AsTask());
        Assert.That(result?.ToString(), Does.Contain("[consent-denied]"));
        Assert.That(_server.Calls, Is.Empty);
    }

    [Test]
    public async Task MerelyFormalRequest_AnsweredByTheHost_IsNoConsent()
    {
        // "other" needs no approval of the host's client, but gets a formal one because "echo" does; its rule asks from now on.
        IChatClient chat = await ChatAsync(settings => settings.Ask("ask", "echo", "other"));
        _options.Tools =
        [
            _options.Tools!.Single(tool => tool.Name == "echo"),
            _options.Tools!.Single(tool => tool.Name == "other").GetService<GuardedAIFunction>()!,
        ];
        _model.ThenCalls(("c1", "echo", null), ("c2", "other", null));
        List<ChatMessage> history = Ask();
        ChatResponse first = await AsAsync(Ada, chat, history);
        ToolApprovalRequestContent[] asked = [.. first.Messages.SelectMany(message => message.Contents).OfType<ToolApprovalRequestContent>()];
        Assert.That(asked, Has.Length.EqualTo(2));
        history.Add(new ChatMessage(ChatRole.User, [.. asked.Select(request => request.CreateResponse(approved: true))]));
        await RunWithTimeAsync(AsAsync(Ada, chat, history));
        Assert.That(_server.Calls.Select(call => call.Params!["name"]!.GetValue<string>()), Is.EqualTo((string[])["echo"]));
    }

    /// <summary>Lets the window in which identical prompts gather pass.</summary>
    private async Task<T> RunWithTimeAsync<T>(Task<T> work)
    {
        while (!work.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.WhenAny(work, Task.Delay(10));
        }

        return await work;
    }
}
