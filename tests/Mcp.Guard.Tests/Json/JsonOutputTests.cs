using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class JsonOutputTests
{
    // Neither in attributes nor in names of cases: those are kept as UTF-8, which has no half of a surrogate pair.
    private static readonly (string Text, string Mended)[] Surrogates =
    [
        ("", ""),
        ("plain", "plain"),
        ("😀", "😀"),
        ("😀a😀", "😀a😀"),
        ("\ud83d", "\ufffd"),
        ("\ude00", "\ufffd"),
        ("a\ud83d", "a\ufffd"),
        ("\ud83da", "\ufffda"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d😀\ude00", "\ufffd😀\ufffd"),
        ("😀\ud83d😀", "😀\ufffd😀"),
        ("a😀\ude00b", "a😀\ufffdb"),
    ];

    [TestCase("""{"a":[1.50,1e+3,-0,"\u0062\/"],"a":null}""")]
    [TestCase("""12345678901234567890.0""")]
    public void Copy_Value_KeepsEveryByte(string json)
    {
        using var output = new JsonOutput();
        output.Copy(JsonElement.Parse(json));
        Assert.That(Text(output), Is.EqualTo(json));
        Assert.That(output.Changed, Is.False);
    }

    [Test]
    public void Copy_ValueDeeperThanAReadersDefault_KeepsEveryByte()
    {
        string json = new string('[', 100) + new string(']', 100);
        using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 128 });
        using var output = new JsonOutput();
        output.Copy(document.RootElement);
        Assert.That(Text(output), Is.EqualTo(json));
    }

    [TestCase("""
        "plain"
        """)]
    [TestCase("""
        "\u0062\/ é \ud83d"
        """)]
    public void CopyString_Utf8_KeepsEveryByte(string json)
    {
        using var output = new JsonOutput();
        output.CopyString(JsonElement.Parse(json));
        Assert.That(Text(output), Is.EqualTo(json));
        Assert.That(output.Changed, Is.False);
    }

    [Test]
    public void CopyString_BytesThatAreNoUtf8_AreReplaced()
    {
        using var output = new JsonOutput();
        output.CopyString(JsonElement.Parse((byte[])[(byte)'"', (byte)'a', 0xFF, (byte)'b', (byte)'"']));
        Assert.That(Text(output), Is.EqualTo("\"a\ufffdb\""));
        Assert.That(output.Changed, Is.True);
    }

    [Test]
    public void Replace_Text_IsWrittenWithItsLoneSurrogatesReplaced()
    {
        foreach ((string text, string mended) in Surrogates)
        {
            using var output = new JsonOutput();
            output.Replace(text);
            Assert.That(JsonElement.Parse(output.Finish().Span).GetString(), Is.EqualTo(mended));
            Assert.That(output.Changed, Is.True);
        }
    }

    [Test]
    public void Settle_NewName_HasItsLoneSurrogatesReplaced()
    {
        foreach ((string text, string mended) in Surrogates)
        {
            Assert.That(JsonOutput.Settle(JsonElement.Parse("""{"x":1}"""), [text]), Is.EqualTo((string[])[mended]));
        }
    }

    [Test]
    public void WriteName_SettledOrKept_IsWrittenOnce()
    {
        using var output = new JsonOutput();
        output.Writer.WriteStartObject();
        List<bool> changed = [];
        foreach (JsonProperty property in JsonElement.Parse("""{"k\u0065pt":1,"h\ud83d":2,"gone":3}""").EnumerateObject())
        {
            output.WriteName(property, property.Value.GetRawText() == "3" ? "new" : null);
            output.Copy(property.Value);
            changed.Add(output.Changed);
        }

        output.Writer.WriteEndObject();
        Assert.That(Text(output), Is.EqualTo("{\"kept\":1,\"h\ufffd\":2,\"new\":3}"));
        Assert.That(changed, Is.EqualTo((bool[])[false, false, true]));
    }

    private static string Text(JsonOutput output) => Encoding.UTF8.GetString(output.Finish().Span);
}
