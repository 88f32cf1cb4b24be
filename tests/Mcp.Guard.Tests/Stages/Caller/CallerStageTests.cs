using System.Text;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Caller;

namespace Mcp.Guard.Tests.Stages.Caller;

/// <summary>Where a caller is required, what acts for somebody must say for whom.</summary>
[TestFixture]
internal sealed class CallerStageTests
{
    [TestCase("tools/call", """{"name":"echo"}""", true, false, true)]
    [TestCase("tools/call", """{"name":"echo"}""", true, true, false)]
    [TestCase("tools/call", """{"name":"echo"}""", false, false, false)]
    [TestCase("resources/read", """{"uri":"notes://a"}""", true, false, true)]
    [TestCase("prompts/get", """{"name":"p"}""", true, false, true)]
    [TestCase("completion/complete", "{}", true, false, true)]
    [TestCase("tools/list", "{}", true, false, false)]
    [TestCase("ping", "{}", true, false, false)]
    [TestCase("initialize", "{}", true, false, false)]
    [TestCase("subscriptions/listen", "{}", true, false, false)]
    [TestCase("subscriptions/listen", """{"notifications":{"resourceSubscriptions":[]}}""", true, false, false)]
    [TestCase("subscriptions/listen", """{"notifications":{"resourceSubscriptions":["notes://a"]}}""", true, false, true)]
    [TestCase("subscriptions/listen", """{"notifications":{"resourceSubscriptions":["notes://a"]}}""", true, true, false)]
    public async Task Evaluate_NobodyNamed_DeniesWhatActsForSomebody(string method, string parameters, bool required, bool named, bool denies)
    {
        await using var guard = new GuardFixture(server => server.With("requireCaller", required ? "true" : "false"));
        GuardConnection connection = guard.Guard.OpenConnection("test");
        var context = (RequestContext)connection.CreateRequest(method, Encoding.UTF8.GetBytes(parameters), named ? new GuardCaller("ada", "s1") : connection.State.ConnectionCaller);
        GuardDecision decision = await new CallerStage().EvaluateAsync(context, default);
        Assert.That(decision.Kind, Is.EqualTo(denies ? GuardDecisionKind.Deny : GuardDecisionKind.Continue));
        if (denies)
        {
            Assert.That(decision.Code, Is.EqualTo(GuardDenialCodes.CallerRequired));
            Assert.That(decision.Reason, Does.Contain("IMcpGuard.BeginScope"));
        }
    }
}
