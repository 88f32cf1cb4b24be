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

    [TestCase("""{"type":"string","title":"a","description":"b","default":"c","minLength":1,"maxLength":2,"format":"email","pattern":"x"}""", FormSchemaFault.None)]
    [TestCase("""{"type":"string","format":"uri"}""", FormSchemaFault.None)]
    [TestCase("""{"type":"string","format":"date"}""", FormSchemaFault.None)]
    [TestCase("""{"type":"string","format":"date-time"}""", FormSchemaFault.None)]
    [TestCase("""{"type":"string","format":"ipv4"}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"string","format":1}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"string","title":1}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"string","description":{}}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"string","pattern":1}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"string","minLength":"1"}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"string","default":{"a":1}}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"string","default":null}""", FormSchemaFault.None)]
    [TestCase("""{"type":"string","minimum":1}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"string","items":{"enum":["a"]}}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"number","minimum":1,"maximum":2.5}""", FormSchemaFault.None)]
    [TestCase("""{"type":"number","maximum":"2"}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"number","minLength":1}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"integer","minimum":1,"maximum":2}""", FormSchemaFault.None)]
    [TestCase("""{"type":"integer","enum":["1"]}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"boolean","default":false}""", FormSchemaFault.None)]
    [TestCase("""{"type":"boolean","minimum":1}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"array","items":{"type":"string","enum":["a"]},"minItems":1,"maxItems":2,"default":["a"]}""", FormSchemaFault.None)]
    [TestCase("""{"type":"array","items":{"anyOf":[{"const":"a","title":"A"}]}}""", FormSchemaFault.None)]
    [TestCase("""{"type":"array","items":{"oneOf":[{"const":"a"}]}}""", FormSchemaFault.None)]
    [TestCase("""{"type":"array"}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"array","items":[]}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"array","items":{}}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"array","items":{"type":"string"}}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"array","items":{"type":"number","enum":["a"]}}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"array","items":{"type":1,"enum":["a"]}}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"array","items":{"enum":["a"],"pattern":"x"}}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"array","items":{"enum":[]}}""", FormSchemaFault.TooLarge)]
    [TestCase("""{"type":"array","items":{"enum":["a"]},"pattern":"x"}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"string","enum":"a"}""", FormSchemaFault.Keyword)]
    [TestCase("""{"type":"string","enum":[]}""", FormSchemaFault.TooLarge)]
    [TestCase("""{"type":"string","enum":[1]}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"string","enum":["a",null]}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"string","enumNames":[{}]}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"string","oneOf":[{"const":"a"}]}""", FormSchemaFault.None)]
    [TestCase("""{"type":"string","oneOf":[{"const":1}]}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"string","oneOf":[{"title":"A"}]}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"string","oneOf":[{"const":"a","pattern":"x"}]}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"string","oneOf":[{"const":"a","title":1}]}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"string","oneOf":[{"const":"a","title":"A","description":"x"}]}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"string","oneOf":[["a"]]}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"null"}""", FormSchemaFault.FieldType)]
    [TestCase("true", FormSchemaFault.FieldType)]
    [TestCase("""{"title":"A"}""", FormSchemaFault.FieldType)]
    [TestCase("""{"type":"string","title":"Your PIN"}""", FormSchemaFault.SecretField)]
    public void Judge_Field_IsOneOfTheKindsThatMcpAllows(string field, FormSchemaFault fault) =>
        Assert.That(Judge($$$"""{"type":"object","properties":{"x":{{{field}}}}}"""), Is.EqualTo(new FormSchemaVerdict(fault, fault == FormSchemaFault.None ? "" : "x")));

    [TestCase("null", FormSchemaFault.NotAnObject, "")]
    [TestCase("""{"properties":{"a":{"type":"string"}}}""", FormSchemaFault.NotAnObject, "")]
    [TestCase("""{"type":"object"}""", FormSchemaFault.NotAnObject, "")]
    [TestCase("""{"type":"object","properties":[]}""", FormSchemaFault.NotAnObject, "")]
    [TestCase("""{"type":"array","properties":{"a":{"type":"string"}}}""", FormSchemaFault.NotAnObject, "")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"}},"$schema":"s","title":"t","description":"d","required":[]}""", FormSchemaFault.None, "")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"}},"$ref":"#"}""", FormSchemaFault.Keyword, "$ref")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"}},"required":"a"}""", FormSchemaFault.Required, "")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"}},"required":[1]}""", FormSchemaFault.Required, "")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a","b"]}""", FormSchemaFault.Required, "b")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["b","a"]}""", FormSchemaFault.None, "")]
    [TestCase("""{"type":"object","properties":{"":{"type":"string"}}}""", FormSchemaFault.FieldName, "")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"},"\u0061":{"type":"string"}}}""", FormSchemaFault.FieldName, "a")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string"},"a":{"type":"null"}}}""", FormSchemaFault.FieldType, "a")]
    public void Judge_Form_NamesWhatIsWrong(string schema, FormSchemaFault fault, string field) => Assert.That(Judge(schema), Is.EqualTo(new FormSchemaVerdict(fault, field)));

    [TestCase(FormSchemaCheck.MaxFields, FormSchemaFault.None)]
    [TestCase(FormSchemaCheck.MaxFields + 1, FormSchemaFault.TooLarge)]
    public void Judge_ManyFields_AreSoManyAsAPersonReads(int fields, FormSchemaFault fault) =>
        Assert.That(Judge("{\"type\":\"object\",\"properties\":{" + string.Join(',', Enumerable.Range(0, fields).Select(i => $"\"f{i}\":{{\"type\":\"string\"}}")) + "}}").Fault, Is.EqualTo(fault));

    [TestCase(FormSchemaCheck.MaxChoices, FormSchemaFault.None)]
    [TestCase(FormSchemaCheck.MaxChoices + 1, FormSchemaFault.TooLarge)]
    public void Judge_ManyChoices_AreSoManyAsAPersonReads(int choices, FormSchemaFault fault) =>
        Assert.That(Judge("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"enum\":[" + string.Join(',', Enumerable.Range(0, choices).Select(i => $"\"c{i}\"")) + "]}}}").Fault, Is.EqualTo(fault));

    [TestCase(128, FormSchemaFault.None)]
    [TestCase(129, FormSchemaFault.FieldName)]
    public void Judge_LongName_IsNone(int length, FormSchemaFault fault) =>
        Assert.That(Judge($"{{\"type\":\"object\",\"properties\":{{\"{new string('n', length)}\":{{\"type\":\"string\"}}}}}}").Fault, Is.EqualTo(fault));

    [TestCase("Your password")]
    [TestCase("PASSWD")]
    [TestCase("a pass phrase")]
    [TestCase("the pass-code")]
    [TestCase("top secret thing")]
    [TestCase("my API  key please")]
    [TestCase("Private Key of yours")]
    [TestCase("credentials to use")]
    [TestCase("Credit card used")]
    [TestCase("the card number here")]
    [TestCase("cvv")]
    [TestCase("C V C")]
    [TestCase("SSN")]
    [TestCase("o.t.p.")]
    [TestCase("the seed phrase words")]
    [TestCase("mnemonic words")]
    [TestCase("a one-time code sent")]
    [TestCase("security code behind")]
    [TestCase("access token for it")]
    [TestCase("api token for it")]
    [TestCase("auth token for it")]
    [TestCase("recovery code for it")]
    [TestCase("verification code sent")]
    [TestCase("backup code kept")]
    [TestCase("pin")]
    [TestCase("Authorization")]
    public void AsksForSecret_WordsForOne_True(string words) => Assert.That(FormSchemaCheck.AsksForSecret(words), Is.True);

    [TestCase("")]
    [TestCase("Which colour?")]
    [TestCase("hotpot")]
    [TestCase("lessnotes")]
    [TestCase("cvvs")]
    [TestCase("next page token")]
    [TestCase("Opinion")]
    public void AsksForSecret_OtherWords_False(string words) => Assert.That(FormSchemaCheck.AsksForSecret(words), Is.False);

    // Where not all of it can be read, nobody knows what it asks for.
    [TestCase(512, false)]
    [TestCase(513, true)]
    public void AsksForSecret_LongWords_CountAsASecretBeyondWhatIsRead(int length, bool asks) => Assert.That(FormSchemaCheck.AsksForSecret(new string('n', length)), Is.EqualTo(asks));

    [Test]
    public void AsksForSecret_AtTheEndOfLongWords_True() => Assert.That(FormSchemaCheck.AsksForSecret(new string('n', 504) + "password"), Is.True);

    [Test]
    public void Verdict_Default_Refuses() => Assert.That(default(FormSchemaVerdict).IsAllowed, Is.False);

    private static FormSchemaVerdict Judge(string schema)
    {
        using JsonDocument document = JsonDocument.Parse(schema);
        return FormSchemaCheck.Judge(document.RootElement);
    }
}
