using System.Buffers;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.ServerRequests;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

[TestFixture]
internal sealed class SamplingRequestStageTests
{
    private const string Message = """{"role":"user","content":{"type":"text","text":"x"}}""";

    [TestCase("", null)]
    [TestCase("\"systemPrompt\":\"x\"", null)]
    [TestCase("\"systemPrompt\":null", "a system prompt that is no text")]
    [TestCase("\"tools\":[]", "sampling with tools")]
    [TestCase("\"toolChoice\":{}", "sampling with tools")]
    [TestCase("\"includeContext\":\"none\"", null)]
    [TestCase("\"includeContext\":\"thisServer\"", "context that the policy does not allow")]
    [TestCase("\"includeContext\":5", "context that the policy does not allow")]
    [TestCase("\"temperature\":0.5", null)]
    [TestCase("\"temperature\":\"hot\"", "a temperature that is no number")]
    [TestCase("\"stopSequences\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\"]", null)]
    [TestCase("\"stopSequences\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\",\"q\"]", "no short list of texts")]
    [TestCase("\"stopSequences\":[\"a\",1]", "no short list of texts")]
    [TestCase("\"stopSequences\":\"a\"", "no short list of texts")]
    [TestCase("\"modelPreferences\":{\"hints\":[]}", null)]
    [TestCase("\"modelPreferences\":[]", "that is no object")]
    [TestCase("\"metadata\":1", "that is no object")]
    [TestCase("\"_meta\":{}", null)]
    [TestCase("\"_meta\":[]", "that is no object")]
    [TestCase("\"thinking\":{}", "a member that is not known here")]
    public async Task Evaluate_Member_IsOneThatIsKnown(string member, string? fault)
    {
        GuardDecision decision = await JudgeAsync($"{{\"messages\":[{Message}],\"maxTokens\":10{(member.Length > 0 ? "," : "")}{member}}}");
        AssertFault(decision, fault);
    }

    [TestCase("1", null)]
    [TestCase("0", "no positive whole number")]
    [TestCase("-1", "no positive whole number")]
    [TestCase("1.5", "no positive whole number")]
    [TestCase("\"5\"", "no positive whole number")]
    [TestCase("99999999999999999999", "no positive whole number")]
    public async Task Evaluate_Tokens_ArePositiveAndWhole(string tokens, string? fault) => AssertFault(await JudgeAsync($"{{\"messages\":[{Message}],\"maxTokens\":{tokens}}}"), fault);

    [TestCase("{}", "no list of 1 to 256")]
    [TestCase("[]", "no list of 1 to 256")]
    [TestCase("[1]", "without a role")]
    [TestCase("""[{"content":{"type":"text","text":"x"}}]""", "without a role")]
    [TestCase("""[{"role":5,"content":{"type":"text","text":"x"}}]""", "without a role")]
    [TestCase("""[{"role":"User","content":{"type":"text","text":"x"}}]""", "without a role")]
    [TestCase("""[{"role":"user"}]""", "without content")]
    [TestCase("""[{"role":"user","content":{"type":"text","text":"x"},"name":"n"}]""", "a message with a member")]
    [TestCase("""[{"role":"assistant","content":[{"type":"text","text":"x"}]}]""", null)]
    [TestCase("""[{"role":"user","content":{"type":"text","text":"x"}},{"role":"user","content":{"type":"video"}}]""", "no text, image or audio")]
    [TestCase("""[{"role":"user","content":{"type":"image","mimeType":"image/png","data":"PGh0bWw+"}}]""", "binary content was refused")]
    public async Task Evaluate_Messages_AreThoseOfTheProtocol(string messages, string? fault) => AssertFault(await JudgeAsync($"{{\"messages\":{messages},\"maxTokens\":1}}"), fault);

    [TestCase(256, null)]
    [TestCase(257, "no list of 1 to 256")]
    public async Task Evaluate_ManyMessages_AreBounded(int count, string? fault) =>
        AssertFault(await JudgeAsync($"{{\"messages\":[{string.Join(',', Enumerable.Repeat(Message, count))}],\"maxTokens\":1}}"), fault);

    [Test]
    public async Task Evaluate_NoMessages_IsRefused() => AssertFault(await JudgeAsync("""{"maxTokens":1}"""), "without messages");

    [TestCase("\"includeContext\":\"thisServer\"", null)]
    [TestCase("\"includeContext\":\"allServers\"", "context that the policy does not allow")]
    public async Task Evaluate_ContextThatThePolicyAllows_IsThisServers(string member, string? fault) =>
        AssertFault(await JudgeAsync($"{{\"messages\":[{Message}],\"maxTokens\":10,{member}}}", """{"allow":true,"allowContext":true}"""), fault);

    // What goes on is what was judged, without metadata and with no more tokens than the policy permits.
    [TestCase("""{"messages":[MESSAGE],"maxTokens":100}""", null)]
    [TestCase("""{"messages":[MESSAGE],"maxTokens":101,"temperature":1}""", """{"messages":[MESSAGE],"temperature":1,"maxTokens":100}""")]
    [TestCase("""{"messages":[MESSAGE]}""", """{"messages":[MESSAGE],"maxTokens":100}""")]
    [TestCase("""{"metadata":{"a":1},"messages":[MESSAGE],"maxTokens":7}""", """{"messages":[MESSAGE],"maxTokens":7}""")]
    [TestCase("""{"messages":[{"role":"user","content":{"type":"text","text":"x"},"_meta":{}}],"maxTokens":7}""", """{"messages":[MESSAGE],"maxTokens":7}""")]
    [TestCase("""{"messages":[MESSAGE,{"role":"user","content":[{"type":"text","text":"x","_meta":{}},{"type":"text","text":"y"}]}],"maxTokens":7}""", """{"messages":[MESSAGE,{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}],"maxTokens":7}""")]
    [TestCase("""{"messages":[{"role":"user","content":{"type":"text","annotations":{},"text":"x"}}],"maxTokens":7}""", """{"messages":[MESSAGE],"maxTokens":7}""")]
    public async Task Evaluate_MoreThanThePolicyPermits_IsReplaced(string asked, string? replaced)
    {
        GuardDecision decision = await JudgeAsync(asked.Replace("MESSAGE", Message, StringComparison.Ordinal), """{"allow":true,"maxTokens":100}""");
        if (replaced is null)
        {
            Assert.That(decision.Kind, Is.EqualTo(GuardDecisionKind.Continue));
            return;
        }

        Assert.That((decision.Kind, decision.Code, decision.Reason), Is.EqualTo((GuardDecisionKind.Replace, "bounded", "tokens and members as the policy has them")));
        Assert.That(decision.Payload.GetRawText(), Is.EqualTo(replaced.Replace("MESSAGE", Message, StringComparison.Ordinal)));
    }

    [Test]
    public async Task Evaluate_OtherMethod_IsNotThisStagesToJudge()
    {
        await using var guard = AskedContext.Guard();
        Assert.That((await new SamplingRequestStage().JudgeAsync(AskedContext.Of(guard, AskedContext.Elicitation, "[]"))).Kind, Is.EqualTo(GuardDecisionKind.Continue));
    }

    [TestCase("""{"type":"text","text":"x"}""", null)]
    [TestCase("""{"type":"text","text":"x","annotations":{},"_meta":{}}""", null)]
    [TestCase("""{"type":"image","data":"x","mimeType":"image/png"}""", null)]
    [TestCase("""{"type":"audio","data":"x","mimeType":"audio/wav","_meta":{}}""", null)]
    [TestCase("""[{"type":"text","text":"x"},{"type":"audio","data":"x","mimeType":"audio/wav"}]""", null)]
    [TestCase("5", "without a type")]
    [TestCase("{}", "without a type")]
    [TestCase("""{"type":5}""", "without a type")]
    [TestCase("""{"type":"Text","text":"x"}""", "no text, image or audio")]
    [TestCase("""{"type":"text","text":"x","data":"y"}""", "a member that its type does not have")]
    [TestCase("""{"type":"text","text":"x","mimeType":"y"}""", "a member that its type does not have")]
    [TestCase("""{"type":"image","data":"x","mimeType":"y","text":"z"}""", "a member that its type does not have")]
    [TestCase("""{"type":"text"}""", "without its content")]
    [TestCase("""{"type":"text","text":5}""", "without its content")]
    [TestCase("""{"type":"image","mimeType":"image/png"}""", "without its content")]
    [TestCase("""{"type":"image","data":"x"}""", "without its content")]
    [TestCase("""{"type":"image","data":"x","mimeType":5}""", "without its content")]
    [TestCase("[]", "no content, or too many blocks")]
    [TestCase("""[{"type":"text","text":"x"},{"type":"text"}]""", "without its content")]
    [TestCase("""[[{"type":"text","text":"x"}]]""", "without a type")]
    public void Content_Fault_NamesWhatIsWrong(string content, string? fault) =>
        Assert.That(SamplingContent.FaultOf(JsonElement.Parse(content)), fault is null ? Is.Null : Does.Contain(fault));

    [TestCase(64, null)]
    [TestCase(65, "too many blocks")]
    public void Content_Blocks_AreBounded(int count, string? fault) =>
        Assert.That(SamplingContent.FaultOf(JsonElement.Parse($"[{string.Join(',', Enumerable.Repeat("""{"type":"text","text":"x"}""", count))}]")), fault is null ? Is.Null : Does.Contain(fault));

    [TestCase("""{"type":"text","text":"x"}""", """{"type":"text","text":"x"}""")]
    [TestCase("""{"_meta":{},"type":"text","annotations":{},"text":"x"}""", """{"type":"text","text":"x"}""")]
    [TestCase("""[{"type":"text","text":"x"},{"type":"text","text":"y","_meta":{}}]""", """[{"type":"text","text":"x"},{"type":"text","text":"y"}]""")]
    public void Content_Bare_IsWithoutWhatIsNeitherTextNorMedia(string content, string bare)
    {
        JsonElement value = JsonElement.Parse(content);
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            SamplingContent.WriteBare(value, writer);
        }

        Assert.That(Encoding.UTF8.GetString(buffer.WrittenSpan), Is.EqualTo(bare));
        Assert.That(SamplingContent.IsBare(value), Is.EqualTo(content == bare));
    }

    private static void AssertFault(GuardDecision decision, string? fault)
    {
        Assert.That(decision.Kind, Is.EqualTo(fault is null ? GuardDecisionKind.Continue : GuardDecisionKind.Deny), decision.Reason);
        if (fault is not null)
        {
            Assert.That((decision.Code, decision.Reason.Contains(fault, StringComparison.Ordinal)), Is.EqualTo((GuardDenialCodes.ServerRequestRefused, true)), decision.Reason);
        }
    }

    private static async Task<GuardDecision> JudgeAsync(string payload, string sampling = """{"allow":true}""")
    {
        await using var guard = AskedContext.Guard(sampling);
        return await new SamplingRequestStage().JudgeAsync(AskedContext.Of(guard, AskedContext.Sampling, payload));
    }
}
