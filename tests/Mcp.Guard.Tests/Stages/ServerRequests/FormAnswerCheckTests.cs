using System.Text.Json;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.ServerRequests;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

/// <summary>An answer goes to the server only where the form asked for it, field by field.</summary>
[TestFixture]
internal sealed class FormAnswerCheckTests
{
    private const string Form = """{"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":20},"age":{"type":"integer","minimum":0,"maximum":150},"mail":{"type":"string","format":"email"},"colour":{"type":"string","enum":["red","blue"],"enumNames":["Red","Blue"]},"size":{"type":"string","oneOf":[{"const":"s","title":"Small"},{"const":"l","title":"Large"}]},"many":{"type":"array","items":{"type":"string","enum":["a","b"]},"maxItems":2},"code":{"type":"string","pattern":"^[A-Z]{2}$"},"ok":{"type":"boolean"}},"required":["name"]}""";

    [TestCase("""{"name":"Ann"}""")]
    [TestCase("""{"name":"Ann","age":42,"mail":"ann@a.example","colour":"red","size":"l","many":["a","b"],"code":"XY","ok":false}""")]
    [TestCase("""{"age":1.0,"name":"é😀"}""")]
    public void Judge_AnswerToTheForm_IsAllowed(string answer) => Assert.That(Judge(Form, answer), Is.EqualTo(new FormAnswerVerdict(FormAnswerFault.None, "")));

    [TestCase("{}", FormAnswerFault.Invalid)]
    [TestCase("""{"name":""}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":"Ann","age":151}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":"Ann","age":1.5}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":"Ann","age":"42"}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":"Ann","mail":"nobody"}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":"Ann","colour":"green"}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":"Ann","size":"m"}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":"Ann","many":["a","b","a"]}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":"Ann","many":[["a"]]}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":"Ann","code":"XY\n"}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":null}""", FormAnswerFault.Invalid)]
    [TestCase("""{"name":"Ann","home":"/root"}""", FormAnswerFault.UnknownField)]
    [TestCase("""{"name":"Ann","\u006eame":"Bob"}""", FormAnswerFault.NotAnAnswer)]
    [TestCase("""{"name":"\ud800"}""", FormAnswerFault.NotAnAnswer)]
    [TestCase("[]", FormAnswerFault.NotAnAnswer)]
    [TestCase("null", FormAnswerFault.NotAnAnswer)]
    public void Judge_AnswerBesideTheForm_IsRefused(string answer, FormAnswerFault fault) => Assert.That(Judge(Form, answer).Fault, Is.EqualTo(fault));

    [TestCase("""{"type":"object","properties":{"password":{"type":"string"}}}""")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string","pattern":"("}}}""")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string","minLength":-1}}}""")]
    [TestCase("""{"$schema":"https://evil.example/dialect","type":"object","properties":{"a":{"type":"string"}}}""")]
    public void Judge_FormThatIsRefused_RefusesEveryAnswer(string form) => Assert.That(Judge(form, """{"a":"x"}""").Fault, Is.EqualTo(FormAnswerFault.Form));

    [Test]
    public void Judge_InvalidAnswer_NamesPlacesAndNoValue()
    {
        FormAnswerVerdict verdict = Judge(Form, """{"name":"Ann","colour":"hunter2","age":999999}""");
        Assert.That(verdict.Detail, Does.Contain("/colour").And.Contain("/age").And.Not.Contain("hunter2").And.Not.Contain("999999"));
    }

    // What goes into the record says where, and never what was filled in.
    [TestCase(Form, """{"name":"Ann","colour":"x"}""", "'/colour' ")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}}}""", """{"a":"x","b":"y"}""", "'/a' /properties/a/type; '/b' /properties/b/type")]
    [TestCase("""{"type":"object","properties":{"password":{"type":"string"}}}""", "{}", "SecretField at 'password'")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string","pattern":"("}}}""", "{}", " at '")]
    public void Judge_RefusedAnswer_SaysWhere(string form, string answer, string detail) => Assert.That(Judge(form, answer).Detail, Does.Contain(detail));

    [TestCase(FormAnswerCheck.MaxBytes, FormAnswerFault.None)]
    [TestCase(FormAnswerCheck.MaxBytes + 1, FormAnswerFault.NotAnAnswer)]
    public void Judge_AnswerOfTheMostBytes_IsRead(int bytes, FormAnswerFault fault)
    {
        const string start = "{\"a\":\"";
        string answer = start + new string('a', bytes - start.Length - 2) + "\"}";
        Assert.That(Judge("""{"type":"object","properties":{"a":{"type":"string"}}}""", answer).Fault, Is.EqualTo(fault));
    }

    [Test]
    public void Judge_HugeAnswer_IsRefusedUnread() =>
        Assert.That(Judge(Form, "{\"name\":\"" + new string('a', FormAnswerCheck.MaxBytes) + "\"}").Fault, Is.EqualTo(FormAnswerFault.NotAnAnswer));

    [Test]
    public void Judge_EngineThatGivesUp_Refuses()
    {
        using JsonDocument form = JsonDocument.Parse("""{"type":"object","properties":{"a":{"type":"string"}},"description":"x"}""");
        using JsonDocument answer = JsonDocument.Parse("""{"a":"x"}""");
        Assert.That(new FormAnswerCheck(new LimitedSchemas()).Judge(form.RootElement, answer.RootElement, null).Fault, Is.EqualTo(FormAnswerFault.Limit));
    }

    [Test]
    public void Verdict_Default_Refuses() => Assert.That(default(FormAnswerVerdict).IsAllowed, Is.False);

    private static FormAnswerVerdict Judge(string form, string answer)
    {
        using JsonDocument schema = JsonDocument.Parse(form);
        using JsonDocument content = JsonDocument.Parse(answer);
        return new FormAnswerCheck(new BuiltInSchemaCompiler()).Judge(schema.RootElement, content.RootElement, "2025-11-25");
    }

    private sealed class LimitedSchemas : ISchemaCompiler
    {
        public SchemaCompilation Compile(ReadOnlySpan<byte> utf8, SchemaOptions options) => SchemaCompilation.Compiled(new Limited());

        private sealed class Limited : CompiledSchema
        {
            public override SchemaOutcome Validate(JsonElement instance, ICollection<SchemaError>? errors = null, int maxErrors = 5) => SchemaOutcome.LimitExceeded;

            public override SchemaOutcome Validate(ReadOnlySpan<byte> utf8, ICollection<SchemaError>? errors = null, int maxErrors = 5) => SchemaOutcome.LimitExceeded;
        }
    }
}
