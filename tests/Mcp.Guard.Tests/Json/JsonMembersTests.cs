using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class JsonMembersTests
{
    [TestCase("""{"a":1.50,"b":2,"c":["x"]}""", """{"a":1.50,"b":"new","c":["x"]}""")]
    [TestCase("""{"\u0062":{"b":1}}""", """{"b":"new"}""")]
    [TestCase("""{"B":1,"bb":2}""", """{"B":1,"bb":2}""")]
    [TestCase("{}", "{}")]
    public void Replace_Member_IsTheOnlyOneThatChanges(string json, string expected) =>
        Assert.That(JsonMembers.Replace(JsonElement.Parse(json), "b"u8, static writer => writer.WriteString("b"u8, "new")).GetRawText(), Is.EqualTo(expected));

    [TestCase("""{"a":1,"b":2,"c":3}""", """{"a":1,"c":3}""")]
    [TestCase("""{"b":2}""", "{}")]
    [TestCase("""{"a":{"b":2}}""", """{"a":{"b":2}}""")]
    public void Without_Member_IsTheOnlyOneThatIsLeftOut(string json, string expected) =>
        Assert.That(JsonMembers.Without(JsonElement.Parse(json), "b"u8).GetRawText(), Is.EqualTo(expected));
}
