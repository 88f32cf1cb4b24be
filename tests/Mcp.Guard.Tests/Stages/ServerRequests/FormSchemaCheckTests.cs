using System.Text.Json;
using Mcp.Guard.Stages.ServerRequests;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

[TestFixture]
internal sealed class FormSchemaCheckTests
{
    [TestCase("""{"type":"object","properties":{"name":{"type":"string","title":"Name","minLength":1},"age":{"type":"integer","minimum":0},"ok":{"type":"boolean","default":true}},"required":["name"]}""")]
    [TestCase("""{"type":"object","properties":{"mail":{"type":"string","format":"email"},"colour":{"type":"string","enum":["red","blue"],"enumNames":["Red","Blue"]}}}""")]
    [TestCase("""{"type":"object","properties":{"c":{"type":"string","oneOf":[{"const":"r","title":"Red"}]},"many":{"type":"array","items":{"type":"string","enum":["a","b"]},"maxItems":2}}}""")]
    public void Judge_FormThatMcpAllows_IsAllowed(string schema) => Assert.That(Judge(schema).IsAllowed, Is.True, Judge(schema).ToString());

    [TestCase("""{"type":"array"}""", FormSchemaFault.NotAnObject)]
    [TestCase("""{"type":"object","properties":{}}""", FormSchemaFault.TooLarge)]
    [TestCase("""{"type":"object","properties":{"a":{"type":"object"}}}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"object","properties":{"a":{"type":"array","items":{"type":"object"}}}}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"object","properties":{"a":{"type":["string","null"]}}}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"object","properties":{"a":{"$ref":"#"}}}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string","allOf":[]}}}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"}},"allOf":[]}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string","format":"password"}}}""", FormSchemaFault.SecretField)]
    [TestCase("""{"type":"object","title":"Enter your password","properties":{"a":{"type":"string"}}}""", FormSchemaFault.SecretField)]
    [TestCase("""{"type":"object","description":"The access token of your account goes here.","properties":{"value":{"type":"string"}}}""", FormSchemaFault.SecretField)]
    [TestCase("""{"type":"object","properties":{"github_password":{"type":"string"}}}""", FormSchemaFault.SecretField)]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string","title":"Your API key"}}}""", FormSchemaFault.SecretField)]
    [TestCase("""{"type":"object","properties":{"p\u0430ssword":{"type":"string"}}}""", FormSchemaFault.SecretField)]
    [TestCase("""{"type":"object","properties":{"a\u200bb":{"type":"string"}}}""", FormSchemaFault.FieldName)]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"},"a":{"type":"string"}}}""", FormSchemaFault.FieldName)]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"}},"required":["b"]}""", FormSchemaFault.Required)]
    public void Judge_FormThatMcpDoesNotAllow_IsRefused(string schema, FormSchemaFault fault) => Assert.That(Judge(schema).Fault, Is.EqualTo(fault));

    [Test]
    public void Verdict_Default_Refuses() => Assert.That(default(FormSchemaVerdict).IsAllowed, Is.False);

    private static FormSchemaVerdict Judge(string schema)
    {
        using JsonDocument document = JsonDocument.Parse(schema);
        return FormSchemaCheck.Judge(document.RootElement);
    }
}
