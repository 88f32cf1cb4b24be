using System.Text;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Rules;

namespace Mcp.Guard.Tests.Stages.Rules;

/// <summary>Which list of rules judges which request; what the rules themselves say is tested in <c>Policy/Rules</c>.</summary>
[TestFixture]
internal sealed class RulesStageTests
{
    private const string Rules = """
        {"t":{"effect":"deny","tools":["same"]},"r":{"effect":"ask","resources":["same"]},"p":{"effect":"allow","prompts":["same"]},
        "no":{"effect":"deny","resources":["notes://deny"]},"ask":{"effect":"ask","resources":["notes://ask"]},"yes":{"effect":"allow","resources":["notes://yes"]}}
        """;

    [TestCase("tools/call", """{"name":"same"}""", GuardDecisionKind.Deny, "t")]
    [TestCase("resources/read", """{"uri":"same"}""", GuardDecisionKind.AskConsent, "r")]
    [TestCase("prompts/get", """{"name":"same"}""", GuardDecisionKind.Continue, "p")]
    [TestCase("tools/list", "{}", GuardDecisionKind.Continue, null)]
    [TestCase("completion/complete", "{}", GuardDecisionKind.Continue, null)]
    [TestCase("ping", "{}", GuardDecisionKind.Continue, null)]
    public async Task Evaluate_Request_IsJudgedByTheRulesOfItsKind(string method, string parameters, GuardDecisionKind kind, string? rule)
    {
        var (decision, context) = await JudgeAsync(method, parameters, Rules);
        Assert.That(decision.Kind, Is.EqualTo(kind));
        Assert.That(context.MatchedRules, rule is null ? Is.Empty : Is.EqualTo(new[] { rule }));
        Assert.That(context.HasVerdict, Is.EqualTo(rule is not null));
    }

    // One request names many resources: the worst of them decides, wherever it stands.
    [TestCase("", GuardDecisionKind.Continue)]
    [TestCase("\"notes://yes\"", GuardDecisionKind.Continue)]
    [TestCase("\"notes://other\"", GuardDecisionKind.Continue)]
    [TestCase("\"notes://ask\",\"notes://yes\"", GuardDecisionKind.AskConsent)]
    [TestCase("\"notes://yes\",\"notes://ask\"", GuardDecisionKind.AskConsent)]
    [TestCase("\"notes://yes\",\"notes://ask\",\"notes://deny\"", GuardDecisionKind.Deny)]
    [TestCase("\"notes://deny\",\"notes://ask\"", GuardDecisionKind.Deny)]
    public async Task Evaluate_Subscriptions_TheWorstDecides(string uris, GuardDecisionKind kind)
    {
        var (decision, context) = await JudgeAsync("subscriptions/listen", $"{{\"notifications\":{{\"resourceSubscriptions\":[{uris}]}}}}", Rules);
        Assert.That(decision.Kind, Is.EqualTo(kind), decision.Reason);
        Assert.That(context.HasVerdict, Is.False, "there is no single one");
    }

    [Test]
    public async Task Evaluate_ArgumentsThatARuleDoesNotPermit_TellTheModelWhatIsRequired()
    {
        var (decision, context) = await JudgeAsync("tools/call", """{"name":"echo","arguments":{"a":2}}""", """{"r":{"effect":"allow","tools":["echo"],"require":{"properties":{"a":{"const":1}}}}}""");
        Assert.That((decision.Kind, decision.Code), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.ArgumentsInvalid)));
        Assert.That(decision.ModelMessage, Does.Contain("/a"));
        Assert.That(context.Verdict.Effect, Is.EqualTo(RuleEffect.Deny));
        var (denied, _) = await JudgeAsync("tools/call", """{"name":"same"}""", Rules);
        Assert.That(denied.ModelMessage, Is.Null, "a rule is nothing for the model");
    }

    private static async Task<(GuardDecision, RequestContext)> JudgeAsync(string method, string parameters, string rules)
    {
        await using var guard = new GuardFixture(server => server.With("rules", rules));
        var context = (RequestContext)guard.Guard.OpenConnection("test").CreateRequest(method, Encoding.UTF8.GetBytes(parameters), new GuardCaller("ada", "s1"));
        return (await new RulesStage().EvaluateAsync(context, default), context);
    }
}
