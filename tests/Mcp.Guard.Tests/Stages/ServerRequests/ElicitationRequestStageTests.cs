using System.Text.Json;
using Mcp.Guard.Stages.ServerRequests;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

[TestFixture]
internal sealed class ElicitationRequestStageTests
{
    private const string Schema = """{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}""";
    private const string Everything = """{"allow":true,"url":true,"urls":["https://*.example.com"],"maxFields":2}""";

    [TestCase("""{"message":"?","requestedSchema":SCHEMA}""", null)]
    [TestCase("""{"mode":"form","message":"","requestedSchema":SCHEMA,"_meta":{}}""", null)]
    [TestCase("""{"mode":"url","message":"?","url":"https://a.example.com/","elicitationId":"1","_meta":{}}""", null)]
    [TestCase("""{"message":"?","requestedSchema":SCHEMA,"elicitationId":"1"}""", "member that its mode does not have")]
    [TestCase("""{"message":"?","requestedSchema":SCHEMA,"url":"https://a.example.com/"}""", "member that its mode does not have")]
    [TestCase("""{"mode":"url","message":"?","url":"https://a.example.com/","elicitationId":"1","requestedSchema":{}}""", "member that its mode does not have")]
    [TestCase("""{"mode":"url","message":"?","url":"https://a.example.com/","elicitationId":"1","x":1}""", "member that its mode does not have")]
    [TestCase("""{"mode":"Form","message":"?","requestedSchema":SCHEMA}""", "mode that is not known")]
    [TestCase("""{"mode":null,"message":"?","requestedSchema":SCHEMA}""", "mode that is not known")]
    [TestCase("""{"requestedSchema":SCHEMA}""", "without a message")]
    [TestCase("""{"message":5,"requestedSchema":SCHEMA}""", "without a message")]
    [TestCase("""{"message":"?"}""", "a form without a schema")]
    [TestCase("""{"message":"?","requestedSchema":{"type":"array"}}""", "the form is refused: NotAnObject")]
    [TestCase("""{"message":"?","requestedSchema":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"},"c":{"type":"string"}}}}""", "more than 2 fields")]
    [TestCase("""{"mode":"url","message":"?","elicitationId":"1"}""", "an address that cannot be shown")]
    [TestCase("""{"mode":"url","message":"?","url":5,"elicitationId":"1"}""", "an address that cannot be shown")]
    [TestCase("""{"mode":"url","message":"?","url":"http://a.example.com/","elicitationId":"1"}""", "an address that cannot be shown")]
    [TestCase("""{"mode":"url","message":"?","url":"https://a.example.com/"}""", "id in plain characters")]
    [TestCase("""{"mode":"url","message":"?","url":"https://a.example.com/","elicitationId":5}""", "id in plain characters")]
    [TestCase("""{"mode":"url","message":"?","url":"https://a.example.com/","elicitationId":""}""", "id in plain characters")]
    [TestCase("""{"mode":"url","message":"?","url":"https://a.example.com/","elicitationId":"a b"}""", "id in plain characters")]
    [TestCase("""{"mode":"url","message":"?","url":"https://a.example.com/","elicitationId":"\u00e9"}""", "id in plain characters")]
    public async Task Evaluate_Shape_IsTheOneOfItsMode(string payload, string? fault)
    {
        GuardDecision decision = await JudgeAsync(payload.Replace("SCHEMA", Schema, StringComparison.Ordinal), Everything);
        Assert.That(decision.Kind, Is.EqualTo(fault is null ? GuardDecisionKind.Continue : GuardDecisionKind.Deny), decision.Reason);
        if (fault is not null)
        {
            Assert.That((decision.Code, decision.Reason.Contains(fault, StringComparison.Ordinal)), Is.EqualTo((GuardDenialCodes.ServerRequestRefused, true)), decision.Reason);
        }
    }

    [TestCase(ElicitationRequestStage.MaxMessageLength, true)]
    [TestCase(ElicitationRequestStage.MaxMessageLength + 1, false)]
    public async Task Evaluate_LongMessage_IsOneThatNobodyWouldRead(int length, bool passes) =>
        Assert.That((await JudgeAsync($$$"""{"message":"{{{new string('m', length)}}}","requestedSchema":{{{Schema}}}}""", Everything)).Kind, Is.EqualTo(passes ? GuardDecisionKind.Continue : GuardDecisionKind.Deny));

    [TestCase(256, true)]
    [TestCase(257, false)]
    public async Task Evaluate_LongId_IsRefused(int length, bool passes) =>
        Assert.That(
            (await JudgeAsync($$"""{"mode":"url","message":"?","url":"https://a.example.com/","elicitationId":"{{new string('i', length)}}"}""", Everything)).Kind,
            Is.EqualTo(passes ? GuardDecisionKind.Continue : GuardDecisionKind.Deny));

    [TestCase("""{"allow":true,"form":false}""", """{"message":"?","requestedSchema":SCHEMA}""", "does not allow forms")]
    [TestCase("""{"allow":true}""", """{"mode":"url","message":"?","url":"https://a.example.com/","elicitationId":"1"}""", "does not allow elicitation by URL")]
    public async Task Evaluate_ModeThatThePolicyDoesNotAllow_IsRefused(string policy, string payload, string fault)
    {
        GuardDecision decision = await JudgeAsync(payload.Replace("SCHEMA", Schema, StringComparison.Ordinal), policy);
        Assert.That((decision.Kind, decision.Code), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.ServerRequestRefused)));
        Assert.That(decision.Reason, Does.Contain(fault));
    }

    [Test]
    public async Task Evaluate_AddressThatIsNotListed_SaysSo()
    {
        GuardDecision decision = await JudgeAsync("""{"mode":"url","message":"?","url":"https://evil.example/","elicitationId":"1"}""", Everything);
        Assert.That((decision.Kind, decision.Code), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.UrlNotAllowed)));
        Assert.That(decision.Reason, Is.Not.Empty);
    }

    [Test]
    public async Task Evaluate_AddressInAnotherSpelling_IsReplacedByTheOneThatIsOpened()
    {
        GuardDecision decision = await JudgeAsync("""{"mode":"url","message":"?","url":"https://A.example.com:443/x","elicitationId":"1","_meta":{"k":[1]}}""", Everything);
        Assert.That((decision.Kind, decision.Code, decision.Reason), Is.EqualTo((GuardDecisionKind.Replace, "address", "the address as it is opened")));
        Assert.That(decision.Payload.GetRawText(), Is.EqualTo("""{"mode":"url","message":"?","url":"https://a.example.com/x","elicitationId":"1","_meta":{"k":[1]}}"""));
    }

    [Test]
    public async Task Evaluate_OtherMethod_IsNotThisStagesToJudge()
    {
        await using var guard = AskedContext.Guard();
        Assert.That((await new ElicitationRequestStage().JudgeAsync(AskedContext.Of(guard, AskedContext.Sampling, "[]"))).Kind, Is.EqualTo(GuardDecisionKind.Continue));
    }

    [TestCase("""{"mode":"url"}""", true)]
    [TestCase("""{"mode":"URL"}""", false)]
    [TestCase("""{"mode":["url"]}""", false)]
    [TestCase("{}", false)]
    public void IsUrl_Mode_DecidesAlone(string payload, bool isUrl) => Assert.That(ElicitationRequestStage.IsUrl(JsonElement.Parse(payload)), Is.EqualTo(isUrl));

    private static async Task<GuardDecision> JudgeAsync(string payload, string elicitation)
    {
        await using var guard = AskedContext.Guard(elicitation: elicitation);
        return await new ElicitationRequestStage().JudgeAsync(AskedContext.Of(guard, AskedContext.Elicitation, payload));
    }
}
