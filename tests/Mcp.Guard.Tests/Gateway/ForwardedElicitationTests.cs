using Mcp.Guard.Gateway;
using Mcp.Guard.Hosting;
using Mcp.Guard.Stages.ServerRequests;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>Questions of a server behind the gateway: to whom, under which heading, and when.</summary>
[TestFixture]
internal sealed class ForwardedElicitationTests
{
    private static readonly ElicitRequestParams Question = new() { Message = ServerRequestOrigin.Label("behind", "during 'ask'", "Which colour?", null), RequestedSchema = new ElicitRequestParams.RequestSchema() };

    [Test]
    public async Task Ask_NoCallOfAClient_Declined()
    {
        await using var gateway = new GatewayFixture();
        ElicitResult answer = await Handler(gateway).AskAsync(Question, CancellationToken.None);
        Assert.That(answer.Action, Is.EqualTo("decline"));
        Assert.That(gateway.Questions, Is.Empty);
    }

    [Test]
    public async Task Ask_UrlMode_Declined()
    {
        await using var gateway = new GatewayFixture(server: builder => builder.WithTools<OwnTools>());
        GatewayCall.Current = new GatewayCall(new GuardCaller("ada", "s"), null!, carriesQuestions: true) { CanShowForms = true };
        ElicitResult answer = await Handler(gateway).AskAsync(new ElicitRequestParams { Message = "go", Url = "https://example.test/", Mode = "url" }, CancellationToken.None);
        Assert.That(answer.Action, Is.EqualTo("decline"));
    }

    [Test]
    public async Task Ask_UrlModeOfAClientThatShowsAddresses_IsShownUnderAnIdOfTheGateway()
    {
        await using var gateway = new GatewayFixture(server: builder => builder.WithTools<OwnTools>());
        var ada = new GatewayCall(new GuardCaller("ada", "s"), null!, carriesQuestions: true) { CanShowUrls = true };
        GatewayCall.Current = ada;
        ForwardedElicitation handler = Handler(gateway);
        Task<ElicitResult> asked = handler.AskAsync(new ElicitRequestParams { Message = "go", Url = "https://example.test/pay", Mode = "url", ElicitationId = "1" }, CancellationToken.None).AsTask();
        GatewayQuestion question = (await ada.NextQuestionAsync(asked, CancellationToken.None))!;
        Assert.Multiple(() =>
        {
            Assert.That((question.Form!.Mode, question.Form.Url, question.Form.Message), Is.EqualTo(("url", "https://example.test/pay", "go")));
            Assert.That(question.Form.ElicitationId, Does.StartWith("gateway-"), "two servers may choose one id");
            Assert.That(question.Form.RequestedSchema, Is.Null);
        });
        question.Reply(new ElicitResult { Action = "accept" });
        Assert.That((await asked).Action, Is.EqualTo("accept"));
        Assert.That(() => handler.Complete(new System.Text.Json.Nodes.JsonObject { ["elicitationId"] = "unknown" }), Throws.Nothing);
    }

    [Test]
    public async Task Ask_FormOfAClientThatShowsAddressesOnly_Declined()
    {
        await using var gateway = new GatewayFixture(server: builder => builder.WithTools<OwnTools>());
        GatewayCall.Current = new GatewayCall(new GuardCaller("ada", "s"), null!, carriesQuestions: true) { CanShowUrls = true };
        Assert.That((await Handler(gateway).AskAsync(Question, CancellationToken.None)).Action, Is.EqualTo("decline"));
    }

    [Test]
    public async Task Ask_WhileAConsentOfTheSameCallerIsOpen_Waits()
    {
        await using var gateway = new GatewayFixture(behind: settings => settings.Ask("ask", "echo"));
        var consent = new TaskCompletionSource<ElicitResult>();
        var open = new TaskCompletionSource();
        McpClient client = await gateway.ConnectAsync(GatewayFixture.User("ada"), async (form, _) =>
        {
            open.TrySetResult();
            return await consent.Task;
        });
        Task<CallToolResult> call = client.CallToolAsync("behind__echo").AsTask();
        await open.Task;

        var ada = new GatewayCall(new GuardCaller("ada", GatewayCaller.AnySession), null!, carriesQuestions: true) { CanShowForms = true };
        GatewayCall.Current = ada;
        Task<ElicitResult> waits = Handler(gateway).AskAsync(Question, CancellationToken.None).AsTask();
        var bob = new GatewayCall(new GuardCaller("bob", GatewayCaller.AnySession), null!, carriesQuestions: true) { CanShowForms = true };
        GatewayCall.Current = bob;
        Task<ElicitResult> passes = Handler(gateway).AskAsync(Question, CancellationToken.None).AsTask();
        GatewayCall.Current = null;

        // Bob is asked at once; Ada's question appears only after her consent is answered.
        GatewayQuestion? bobs = await bob.NextQuestionAsync(passes, CancellationToken.None);
        Task<GatewayQuestion?> adas = ada.NextQuestionAsync(waits, CancellationToken.None);
        Assert.That(bobs!.Form!.Message, Does.StartWith("Server 'behind' asks").And.Contain("> \"Which colour?\""));
        Assert.That(adas.IsCompleted, Is.False);
        consent.SetResult(GatewayFixture.Answer("no"));
        GatewayQuestion? late = await adas;
        late!.Reply(new ElicitResult { Action = "decline" });
        bobs.Reply(new ElicitResult { Action = "cancel" });
        Assert.That(((await waits).Action, (await passes).Action), Is.EqualTo(("decline", "cancel")));
        Assert.That(GatewayFixture.TextOf(await call), Does.Contain("[consent-denied]"));
    }

    private static ForwardedElicitation Handler(GatewayFixture gateway) =>
        new(gateway.Services.GetRequiredService<McpGuardHost>().Runtime.Consent, TimeSpan.FromMinutes(2), TimeProvider.System);
}
