using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class JsonCharactersTests
{
    // Neither in attributes nor in names of cases: those are kept as UTF-8, which has no half of a surrogate pair.
    private static readonly (string Inside, string Text)[] Strings =
    [
        ("", ""),
        ("plain é 😀", "plain é 😀"),
        ("""\"\\\/\b\f\n\r\t""", "\"\\/\b\f\n\r\t"),
        ("""a\u0062c\u00E9""", "abcé"),
        ("""\\u0041\\n""", "\\u0041\\n"),
        ("""\ud83d\ude00""", "😀"),
        ("""x\ud83dy\ude00""", "x\ud83dy\ude00"),
        ("""\u0000""", "\0"),
    ];

    [Test]
    public void Of_String_IsItsTextAsTheNameIs()
    {
        foreach ((string inside, string expected) in Strings)
        {
            using var text = JsonCharacters.Of(JsonElement.Parse($"\"{inside}\""));
            Assert.That(text.Span.ToString(), Is.EqualTo(expected));
            Assert.That(JsonText.GetString(JsonElement.Parse($"\"{inside}\"")), Is.EqualTo(expected));
            foreach (JsonProperty property in JsonElement.Parse($"{{\"{inside}\":1}}").EnumerateObject())
            {
                using var name = JsonCharacters.NameOf(property);
                Assert.That(name.Span.ToString(), Is.EqualTo(expected));
                Assert.That(JsonText.GetName(property), Is.EqualTo(expected));
            }
        }
    }

    [TestCase("12", "Number")]
    [TestCase("null", "Null")]
    [TestCase("""["a"]""", "Array")]
    [TestCase("{}", "Object")]
    public void GetString_OtherValue_ThrowsAndNamesItsKind(string json, string kind) =>
        Assert.That(() => JsonText.GetString(JsonElement.Parse(json)), Throws.InvalidOperationException.With.Message.Contains(kind));
}
