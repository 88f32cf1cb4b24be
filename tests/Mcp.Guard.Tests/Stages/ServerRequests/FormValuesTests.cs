using System.Text.Json;
using Mcp.Guard.Stages.ServerRequests;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

/// <summary>Texts for reading may be cleaned; whatever comes back in the answer may not differ.</summary>
[TestFixture]
internal sealed class FormValuesTests
{
    private const string Form = """{"type":"object","title":"T","properties":{"title":{"type":"string","title":"A","description":"B","enum":["x","y"],"enumNames":["X","Y"],"minLength":1,"default":"d"}},"required":["title"]}""";

    [TestCase(Form)]
    [TestCase("""{"type":"object","title":"other","properties":{"title":{"type":"string","title":"other","description":"other","enum":["x","y"],"enumNames":["other"],"minLength":1,"default":"d"}},"required":["title"]}""")]
    [TestCase("""{"type":"object","title":5,"properties":{"title":{"type":"string","title":"A","description":null,"enum":["x","y"],"enumNames":[],"minLength":1,"default":"d"}},"required":["title"]}""")]
    public void AreEqual_OtherTextsForReading_True(string other) => Assert.That(Equal(Form, other), Is.True);

    [TestCase("""{"type":"object","title":"T","properties":{"title":{"type":"number","title":"A","description":"B","enum":["x","y"],"enumNames":["X","Y"],"minLength":1,"default":"d"}},"required":["title"]}""", TestName = "{m}(type)")]
    [TestCase("""{"type":"object","title":"T","properties":{"titles":{"type":"string","title":"A","description":"B","enum":["x","y"],"enumNames":["X","Y"],"minLength":1,"default":"d"}},"required":["title"]}""", TestName = "{m}(name)")]
    [TestCase("""{"type":"object","title":"T","properties":{"title":{"type":"string","title":"A","description":"B","enum":["x","z"],"enumNames":["X","Y"],"minLength":1,"default":"d"}},"required":["title"]}""", TestName = "{m}(choice)")]
    [TestCase("""{"type":"object","title":"T","properties":{"title":{"type":"string","title":"A","description":"B","enum":["x"],"enumNames":["X","Y"],"minLength":1,"default":"d"}},"required":["title"]}""", TestName = "{m}(fewer choices)")]
    [TestCase("""{"type":"object","title":"T","properties":{"title":{"type":"string","title":"A","description":"B","enum":["x","y"],"enumNames":["X","Y"],"minLength":2,"default":"d"}},"required":["title"]}""", TestName = "{m}(number)")]
    [TestCase("""{"type":"object","title":"T","properties":{"title":{"type":"string","title":"A","description":"B","enum":["x","y"],"enumNames":["X","Y"],"minLength":1,"default":"e"}},"required":["title"]}""", TestName = "{m}(default)")]
    [TestCase("""{"type":"object","title":"T","properties":{"title":{"type":"string","title":"A","description":"B","enum":["x","y"],"enumNames":["X","Y"],"minLength":1,"default":null}},"required":["title"]}""", TestName = "{m}(kind)")]
    [TestCase("""{"type":"object","title":"T","properties":{"title":{"type":"string","title":"A","description":"B","enum":["x","y"],"enumNames":["X","Y"],"minLength":1}},"required":["title"]}""", TestName = "{m}(member)")]
    [TestCase("""{"title":"T","type":"object","properties":{"title":{"type":"string","title":"A","description":"B","enum":["x","y"],"enumNames":["X","Y"],"minLength":1,"default":"d"}},"required":["title"]}""", TestName = "{m}(order)")]
    public void AreEqual_AnotherValue_False(string other) => Assert.That(Equal(Form, other), Is.False);

    // A field may bear the name of a keyword: inside "properties" every name is a field, and inside a field it is a keyword again.
    [TestCase("""{"properties":{"title":{"const":"a"}}}""", """{"properties":{"title":{"const":"b"}}}""", false)]
    [TestCase("""{"properties":{"description":"a"}}""", """{"properties":{"description":"b"}}""", false)]
    [TestCase("""{"properties":{"properties":{"title":"a"}}}""", """{"properties":{"properties":{"title":"b"}}}""", true)]
    [TestCase("true", "true", true)]
    [TestCase("true", "false", false)]
    [TestCase("1", "1.0", false)]
    [TestCase("\"a\"", "\"\\u0061\"", true)]
    [TestCase("[]", "[[]]", false)]
    [TestCase("{}", "{}", true)]
    public void AreEqual_Values_AreComparedAsTheyStand(string one, string other, bool equal) => Assert.That(Equal(one, other), Is.EqualTo(equal));

    private static bool Equal(string one, string other) => FormValues.AreEqual(JsonElement.Parse(one), JsonElement.Parse(other));
}
