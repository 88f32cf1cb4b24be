using System.Text;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Methods;

namespace Mcp.Guard.Tests.Stages.Methods;

[TestFixture]
internal sealed class MethodTableStageTests
{
    [TestCase("tools/call", """{"name":"echo"}""", false, null)]
    [TestCase("tools/list", "{}", false, null)]
    [TestCase("ping", "{}", false, null)]
    [TestCase("tasks/get", "{}", true, "the method is not in the method table")]
    [TestCase("Tools/call", "{}", true, "the method is not in the method table")]
    [TestCase("completion/complete", "{}", true, null)]
    [TestCase("completion/complete", "{}", false, "\"allowCompletion\": true")]
    public async Task Evaluate_Method_PassesOnlyWhereItIsKnownAndOn(string method, string parameters, bool completion, string? fault)
    {
        await using var guard = new GuardFixture(server => server.With("allowCompletion", completion ? "true" : "false"));
        GuardDecision decision = await new MethodTableStage().EvaluateAsync((RequestContext)guard.Guard.OpenConnection("test").CreateRequest(method, Encoding.UTF8.GetBytes(parameters)), default);
        Assert.That(decision.Kind, Is.EqualTo(fault is null ? GuardDecisionKind.Continue : GuardDecisionKind.Deny));
        if (fault is not null)
        {
            Assert.That(decision.Code, Is.EqualTo(GuardDenialCodes.MethodNotAllowed));
            Assert.That(decision.Reason, Does.Contain(fault));
        }
    }

    [Test]
    public async Task Evaluate_ServerThatThePolicyNoLongerNames_IsDenied()
    {
        await using var guard = new GuardFixture(_ => { });
        ConnectionState connection = guard.Guard.OpenConnection("test").State;
        var context = new RequestContext(connection, connection.Policy, null, connection.ConnectionCaller, "decision", "ping");
        GuardDecision decision = await new MethodTableStage().EvaluateAsync(context, default);
        Assert.That((decision.Kind, decision.Code, decision.Reason), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.ServerNotAllowed, "the policy in force no longer names this server")));
    }
}
