using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.ServerRequests;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

/// <summary>What of a host's answer leaves for the server: what was asked for, as long as it is allowed, and nothing beside it.</summary>
[TestFixture]
internal sealed class HostAnswerCheckTests
{
    private const string Form = """{"message":"?","requestedSchema":{"type":"object","properties":{"name":{"type":"string","maxLength":20}},"required":["name"]}}""";
    private const string Url = """{"mode":"url","message":"?","url":"https://a.example/","elicitationId":"1"}""";
    private const string Ask = """{"messages":[{"role":"user","content":{"type":"text","text":"?"}}],"maxTokens":2}""";
    private const string Png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    [TestCase("""{"action":"decline"}""", """{"action":"decline"}""")]
    [TestCase("""{"action":"cancel","content":{"name":"x"},"_meta":{"a":1}}""", """{"action":"cancel"}""")]
    [TestCase("""{"action":"accept","content":{"name":"x"},"_meta":{"a":1},"more":2}""", """{"action":"accept","content":{"name":"x"}}""")]
    public async Task Judge_AnswerToAForm_IsMadeOfWhatIsKnown(string answer, string sent) =>
        Assert.That(await SentAsync(AskedContext.Elicitation, Form, answer), Is.EqualTo((sent, (string?)null)));

    [TestCase("[]", "no object")]
    [TestCase("null", "no object")]
    [TestCase("{}", "without an action")]
    [TestCase("""{"action":1}""", "without an action")]
    [TestCase("""{"action":"Accept","content":{"name":"x"}}""", "action that is not known")]
    [TestCase("""{"action":"","content":{"name":"x"}}""", "action that is not known")]
    [TestCase("""{"action":"accept"}""", "without its content")]
    [TestCase("""{"action":"accept","content":{}}""", "does not fit the form: Invalid")]
    [TestCase("""{"action":"accept","content":{"name":"x","home":"/root"}}""", "does not fit the form: UnknownField")]
    [TestCase("""{"action":"accept","content":{"name":5}}""", "does not fit the form: Invalid")]
    [TestCase("""{"action":"accept","content":null}""", "does not fit the form: NotAnAnswer")]
    [TestCase("""{"action":"accept","content":{"name":"AKIAIOSFODNN7EXAMPLE"}}""", "holds a credential")]
    public async Task Judge_AnswerThatTheFormDidNotAskFor_DoesNotLeave(string answer, string fault)
    {
        var (sent, why) = await SentAsync(AskedContext.Elicitation, Form, answer);
        Assert.That(sent, Is.Null);
        Assert.That(why, Does.Contain(fault));
    }

    [Test]
    public async Task Judge_FormThatIsGone_DoesNotLeave() =>
        Assert.That((await SentAsync(AskedContext.Elicitation, """{"message":"?"}""", """{"action":"accept","content":{"name":"x"}}""")).Fault, Does.Contain("without its content"));

    // That a person agreed to open the address is all that the server learns.
    [TestCase("""{"action":"accept"}""", "accept")]
    [TestCase("""{"action":"accept","content":{"name":"x"}}""", "accept")]
    [TestCase("""{"action":"decline","content":{"name":"x"}}""", "decline")]
    public async Task Judge_AnswerToAnAddress_HasNoContent(string answer, string action) =>
        Assert.That((await SentAsync(AskedContext.Elicitation, Url, answer)).Sent, Is.EqualTo($$"""{"action":"{{action}}"}"""));

    [TestCase(AskedContext.Elicitation, """{"allow":true}""", """{"allow":false}""", false)]
    [TestCase(AskedContext.Sampling, """{"allow":true}""", """{"allow":false}""", true)]
    [TestCase(AskedContext.Elicitation, """{"allow":false}""", """{"allow":true}""", true)]
    [TestCase(AskedContext.Sampling, """{"allow":false}""", """{"allow":true}""", false)]
    [TestCase("roots/list", """{"allow":true}""", """{"allow":true}""", false)]
    [TestCase("Elicitation/create", """{"allow":true}""", """{"allow":true}""", false)]
    public async Task Judge_MethodThatThePolicyDoesNotAllow_NothingLeaves(string method, string sampling, string elicitation, bool leaves)
    {
        await using var guard = AskedContext.Guard(sampling, elicitation);
        await guard.Host.StartAsync(default);
        bool isSampling = method == AskedContext.Sampling;
        HostAnswer answer = Check().Judge(
            AskedContext.Of(guard, method, isSampling ? Ask : Form),
            JsonElement.Parse(isSampling ? """{"role":"assistant","model":"m","content":{"type":"text","text":"x"}}""" : """{"action":"decline"}"""));
        Assert.That(answer.IsSent, Is.EqualTo(leaves), answer.Fault);
        Assert.That(answer.Fault, leaves ? Is.Null : Does.Contain("the policy does not allow it"));
    }

    [TestCase("test", "echo", null, false)]
    [TestCase("test", null, "ada", false)]
    [TestCase(null, null, null, false)]
    [TestCase("test", "other", null, true)]
    [TestCase(null, null, "bob", true)]
    public async Task Judge_StopSetWhileTheHostWasAsked_NothingLeaves(string? server, string? tool, string? user, bool leaves)
    {
        await using var guard = AskedContext.Guard();
        await guard.Host.StartAsync(default);
        ServerRequestContext asked = AskedContext.Of(guard, AskedContext.Elicitation, Form);
        await guard.Guard.HaltAsync(new HaltScope(server, tool, user), "enough");
        HostAnswer answer = Check().Judge(asked, JsonElement.Parse("""{"action":"accept","content":{"name":"x"}}"""));
        Assert.That(answer.IsSent, Is.EqualTo(leaves));
        Assert.That(answer.Fault, leaves ? Is.Null : Is.EqualTo("a stop was set"));
    }

    [TestCase("""{"role":"assistant","model":"m","content":{"type":"text","text":"x"}}""", """{"role":"assistant","content":{"type":"text","text":"x"},"model":"m"}""")]
    [TestCase("""{"stopReason":"endTurn","role":"user","model":"m","content":[{"type":"text","text":"x"}],"_meta":{"a":1},"usage":5}""", """{"role":"user","content":[{"type":"text","text":"x"}],"stopReason":"endTurn","model":"m"}""")]
    [TestCase("""{"role":"user","model":"m","stopReason":null,"content":{"type":"text","text":"x","annotations":{},"_meta":{}}}""", """{"role":"user","content":{"type":"text","text":"x"},"model":"m","stopReason":null}""")]
    [TestCase("""{"role":"user","model":"m","content":{"type":"text","text":"a\u200bb AKIAIOSFODNN7EXAMPLE"}}""", """{"role":"user","content":{"type":"text","text":"ab [redacted]"},"model":"m"}""")]
    [TestCase("{\"role\":\"user\",\"model\":\"m\",\"content\":{\"type\":\"image\",\"mimeType\":\"image/png\",\"data\":\"" + Png + "\"}}", "{\"role\":\"user\",\"content\":{\"type\":\"image\",\"mimeType\":\"image/png\",\"data\":\"" + Png + "\"},\"model\":\"m\"}")]
    public async Task Judge_Sampled_IsMadeOfWhatIsKnownCleaned(string answer, string sent)
    {
        var (text, fault) = await SentAsync(AskedContext.Sampling, Ask, answer);
        Assert.That(fault, Is.Null);
        text = text!.Replace("\\u002B", "+", StringComparison.Ordinal);
        Assert.That(System.Text.RegularExpressions.Regex.Replace(text, @"\[redacted[^\]]*\]", "[redacted]"), Is.EqualTo(sent));
    }

    [TestCase("""{"model":"m","content":{"type":"text","text":"x"}}""", "without role, model or content")]
    [TestCase("""{"role":1,"model":"m","content":{"type":"text","text":"x"}}""", "without role, model or content")]
    [TestCase("""{"role":"system","model":"m","content":{"type":"text","text":"x"}}""", "without role, model or content")]
    [TestCase("""{"role":"user","content":{"type":"text","text":"x"}}""", "without role, model or content")]
    [TestCase("""{"role":"user","model":null,"content":{"type":"text","text":"x"}}""", "without role, model or content")]
    [TestCase("""{"role":"user","model":5,"content":{"type":"text","text":"x"}}""", "without role, model or content")]
    [TestCase("""{"role":"user","model":"m","stopReason":5,"content":{"type":"text","text":"x"}}""", "without role, model or content")]
    [TestCase("""{"role":"user","model":"m"}""", "without role, model or content")]
    [TestCase("""{"role":"user","model":"m","content":{"type":"tool_use"}}""", "no text, image or audio")]
    [TestCase("""{"role":"user","model":"m","content":{"type":"image","mimeType":"image/png","data":"PGh0bWw+"}}""", "binary content was refused")]
    public async Task Judge_SampledOfAnotherShape_DoesNotLeave(string answer, string fault)
    {
        var (sent, why) = await SentAsync(AskedContext.Sampling, Ask, answer);
        Assert.That(sent, Is.Null);
        Assert.That(why, Does.Contain(fault));
    }

    [TestCase("model", 256, true)]
    [TestCase("model", 257, false)]
    [TestCase("stopReason", 64, true)]
    [TestCase("stopReason", 65, false)]
    public async Task Judge_SampledWithALongName_DoesNotLeave(string member, int length, bool leaves)
    {
        string text = new('m', length);
        string names = member == "model" ? $"\"model\":\"{text}\"" : $"\"model\":\"m\",\"stopReason\":\"{text}\"";
        Assert.That((await SentAsync(AskedContext.Sampling, Ask, $"{{\"role\":\"user\",{names},\"content\":{{\"type\":\"text\",\"text\":\"x\"}}}}")).Sent, leaves ? Is.Not.Null : Is.Null);
    }

    // 64 characters for each token that was asked for, or that the policy permits where the request names none; all blocks together.
    [TestCase("\"maxTokens\":2", 128, 0, true)]
    [TestCase("\"maxTokens\":2", 129, 0, false)]
    [TestCase("\"maxTokens\":2", 64, 64, true)]
    [TestCase("\"maxTokens\":2", 64, 65, false)]
    [TestCase("\"systemPrompt\":\"x\"", 192, 0, true)]
    [TestCase("\"systemPrompt\":\"x\"", 193, 0, false)]
    public async Task Judge_SampledLongerThanWasAskedFor_DoesNotLeave(string asks, int first, int second, bool leaves)
    {
        string content = second == 0 ? Block(first) : $"[{Block(first)},{Block(second)}]";
        var (sent, fault) = await SentAsync(
            AskedContext.Sampling,
            $"{{\"messages\":[],{asks}}}",
            $"{{\"role\":\"assistant\",\"model\":\"m\",\"content\":{content}}}",
            """{"allow":true,"maxTokens":3}""");
        Assert.That(sent, leaves ? Is.Not.Null : Is.Null);
        Assert.That(fault, leaves ? Is.Null : Does.Contain("longer than the tokens"));

        static string Block(int length) => $"{{\"type\":\"text\",\"text\":\"{string.Concat(Enumerable.Repeat("ab c", (length / 4) + 1))[..length]}\"}}";
    }

    [Test]
    public void Answer_Default_IsNotSent()
    {
        Assert.That(default(HostAnswer).IsSent, Is.False);
        Assert.That(new HostAnswer(JsonElement.Parse("{}"), null).IsSent, Is.True);
        Assert.That(new HostAnswer(JsonElement.Parse("{}"), "fault").IsSent, Is.False);
        Assert.That(new HostAnswer(JsonElement.Parse("[]"), null).IsSent, Is.False);
    }

    private static HostAnswerCheck Check() => new(new BuiltInSchemaCompiler(), new ContentRedaction(null));

    private static async Task<(string? Sent, string? Fault)> SentAsync(string method, string asked, string answer, string sampling = """{"allow":true}""")
    {
        await using var guard = AskedContext.Guard(sampling);
        await guard.Host.StartAsync(default);
        HostAnswer judged = Check().Judge(AskedContext.Of(guard, method, asked), JsonElement.Parse(answer));
        return (judged.IsSent ? judged.Payload.GetRawText() : null, judged.Fault);
    }
}
