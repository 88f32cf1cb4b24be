using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.KillSwitch;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.KillSwitch;

[TestFixture]
internal sealed class KillSwitchStageTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [TestCase("test", null, null, true)]
    [TestCase("test", "echo", null, true)]
    [TestCase(null, null, "ada", true)]
    [TestCase("test", "echo", "ada", true)]
    [TestCase("other", null, null, false)]
    [TestCase("test", "other", null, false)]
    [TestCase(null, null, "bob", false)]
    public async Task Evaluate_StopThatCoversTheCall_DeniesAndSaysWhy(string? server, string? tool, string? user, bool denies)
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        using var halts = new HaltSwitch(new InMemoryHaltStore(), new FakeTimeProvider(Now));
        await halts.StartAsync(default);
        await halts.HaltAsync(new HaltScope(server, tool, user), "the reason", default);
        var context = (RequestContext)guard.Guard.OpenConnection("test").CreateRequest("tools/call", """{"name":"echo"}"""u8, new GuardCaller("ada", "s1"));

        GuardDecision decision = await new KillSwitchStage(halts).EvaluateAsync(context, default);

        Assert.That(decision.Kind, Is.EqualTo(denies ? GuardDecisionKind.Deny : GuardDecisionKind.Continue));
        if (denies)
        {
            Assert.That((decision.Code, decision.Reason), Is.EqualTo((GuardDenialCodes.Halted, "stopped since 2026-01-02T03:04:05.0000000+00:00: the reason")));
        }
    }
}
