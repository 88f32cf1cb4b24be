using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>Everything but an offered, well-formed answer to this very request denies.</summary>
[TestFixture]
internal sealed class ConsentOutcomeTests
{
    private static readonly ConsentRequest Request = ConsentTextTests.Request();

    [Test]
    public void Of_OfferedAnswer_IsWhatItSays()
    {
        (ConsentAnswer Answer, ConsentScopes Scope, string Decision)[] answers =
        [
            (ConsentAnswer.AllowOnce(Request), ConsentScopes.Once, "allow-once"),
            (ConsentAnswer.AllowTheseArguments(Request), ConsentScopes.TheseArguments, "allow-these-arguments"),
            (ConsentAnswer.AllowTool(Request), ConsentScopes.Tool, "allow-tool"),
            (ConsentAnswer.Never(Request), ConsentScopes.Never, "never"),
        ];
        foreach (var (answer, scope, decision) in answers)
        {
            Assert.That(ConsentOutcome.Of(ConsentTextTests.Request(offered: scope), answer), Is.EqualTo(new ConsentOutcome(answer.Kind, null, decision, null, answer)));
            ConsentOutcome refused = ConsentOutcome.Of(ConsentTextTests.Request(offered: ~scope), answer);
            Assert.That(refused, Is.EqualTo(new ConsentOutcome(ConsentAnswerKind.Deny, GuardDenialCodes.ConsentDenied, "deny", "the answer was not offered", answer)));
        }
    }

    [Test]
    public void Of_NoAnswerOrAnothersOrNo_Denies()
    {
        ConsentAnswer no = ConsentAnswer.Deny(Request);
        ConsentAnswer others = ConsentAnswer.AllowOnce(new ConsentRequest
        {
            RequestId = "R1",
            DecisionId = "d1",
            ServerId = "files",
            Method = "tools/call",
            ToolName = "t",
            ArgumentsForDisplay = "{}",
            Reasons = [],
            Caller = new GuardCaller("ada", "s1"),
            IsDestructive = true,
            IsOpenWorld = true,
            Offered = ConsentScopes.Once,
            Deadline = DateTimeOffset.UnixEpoch,
        });
        Assert.That(ConsentOutcome.Of(Request, null), Is.EqualTo(Denied("the provider returned no answer", null)));
        Assert.That(ConsentOutcome.Of(Request, others), Is.EqualTo(Denied("the answer belongs to another request", null)));
        Assert.That(ConsentOutcome.Of(Request, no), Is.EqualTo(Denied("a person said no", no)));
    }

    [TestCase(0, false)]
    [TestCase(-1, false)]
    [TestCase(1, true)]
    [TestCase(30 * 24 * 60, true)]
    [TestCase((30 * 24 * 60) + 1, false)]
    public void Of_Lifetime_IsMoreThanZeroAndAtMostThirtyDays(int minutes, bool holds)
    {
        ConsentAnswer answer = ConsentAnswer.AllowTool(Request, TimeSpan.FromMinutes(minutes));
        ConsentOutcome outcome = ConsentOutcome.Of(Request, answer);
        Assert.That(outcome, Is.EqualTo(holds
            ? new ConsentOutcome(ConsentAnswerKind.AllowTool, null, "allow-tool", null, answer)
            : Denied("the answer has a lifetime that is not between zero and 30 days", answer)));
    }

    [Test]
    public void DefaultAndMade_Deny()
    {
        Assert.Multiple(() =>
        {
            Assert.That(default(ConsentOutcome).Kind, Is.EqualTo(ConsentAnswerKind.Deny));
            Assert.That(ConsentOutcome.Timeout, Is.EqualTo(new ConsentOutcome(ConsentAnswerKind.Deny, GuardDenialCodes.ConsentTimeout, "timeout", "no answer in time", null)));
            Assert.That(ConsentOutcome.Unavailable("why"), Is.EqualTo(new ConsentOutcome(ConsentAnswerKind.Deny, GuardDenialCodes.ConsentUnavailable, "unavailable", "why", null)));
            ConsentVerdict none = default;
            Assert.That((none.IsAllowed, none.WasAsked, none.Code, none.Note, none.RetryAfter), Is.EqualTo((false, false, GuardDenialCodes.GuardFault, "consent was not judged", (TimeSpan?)null)));
            ConsentVerdict grant = ConsentVerdict.ByGrant("g");
            Assert.That((grant.IsAllowed, grant.WasAsked, grant.Code, grant.Note), Is.EqualTo((true, false, string.Empty, "g")));
            ConsentVerdict answer = ConsentVerdict.ByAnswer("allow-once");
            Assert.That((answer.IsAllowed, answer.WasAsked, answer.Code, answer.Note), Is.EqualTo((true, true, string.Empty, "allow-once")));
            ConsentVerdict denied = ConsentVerdict.Denied("code", "why", TimeSpan.FromSeconds(1));
            Assert.That((denied.IsAllowed, denied.WasAsked, denied.Code, denied.Note, denied.RetryAfter), Is.EqualTo((false, false, "code", "why", (TimeSpan?)TimeSpan.FromSeconds(1))));
        });
    }

    private static ConsentOutcome Denied(string reason, ConsentAnswer? answer) => new(ConsentAnswerKind.Deny, GuardDenialCodes.ConsentDenied, "deny", reason, answer);
}
