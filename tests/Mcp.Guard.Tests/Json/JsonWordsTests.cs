using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

/// <summary>A stage leaves out its walk where a word is surely absent, so the answer may err in one direction only.</summary>
[TestFixture]
internal sealed class JsonWordsTests
{
    [TestCase("""{"content":[{"type":"image"}]}""")]
    [TestCase("""{"image":1}""")]
    [TestCase("""["an image of a cat"]""")]
    [TestCase("""{"content":[{"type":"im\u0061ge"}]}""")]
    [TestCase("""{"content":[{"type":"\u0069\u006D\u0061\u0067\u0065"}]}""")]
    [TestCase("""{"im\u0061ge":1}""")]
    [TestCase("""{"text":"\\u0061"}""", Description = "an escaped backslash before a u: not told from an escape")]
    public void Lacks_WordThatMayOccur_False(string json)
    {
        JsonElement value = JsonElement.Parse(json);
        Assert.Multiple(() =>
        {
            Assert.That(JsonWords.Lacks(value, "image"u8), Is.False);
            Assert.That(JsonWords.Lacks(value, "image"u8, "audio"u8, "blob"u8), Is.False);
            Assert.That(JsonWords.Lacks(value, "audio"u8, "image"u8, "blob"u8), Is.False);
            Assert.That(JsonWords.Lacks(value, "audio"u8, "blob"u8, "image"u8), Is.False);
        });
    }

    [TestCase("""{"content":[{"type":"text","text":"line\nline\t\"quoted\" \\ \/ end"}]}""")]
    [TestCase("""{"IMAGE":1}""")]
    [TestCase("{}")]
    public void Lacks_WordThatDoesNotOccur_True(string json) =>
        Assert.That(JsonWords.Lacks(JsonElement.Parse(json), "image"u8, "audio"u8, "blob"u8), Is.True);

    [Test]
    public void Lacks_LiteralOfTheSameLetters_False()
    {
        JsonElement value = JsonElement.Parse("true");
        Assert.That(JsonWords.Lacks(value, "true"u8), Is.False);
        Assert.That(JsonWords.Lacks(value, "true"u8, "audio"u8, "blob"u8), Is.False);
        Assert.That(JsonWords.Lacks(value, "audio"u8, "true"u8, "blob"u8), Is.False);
        Assert.That(JsonWords.Lacks(value, "audio"u8, "blob"u8, "true"u8), Is.False);
    }

    [Test]
    public void Lacks_AbsentValue_True() => Assert.That(JsonWords.Lacks(default, "image"u8), Is.True);

    [TestCase(4_094, true)]
    [TestCase(4_095, false)]
    public void Lacks_LongText_IsNotSearched(int length, bool expected) =>
        Assert.That(JsonWords.Lacks(JsonElement.Parse($"\"{new string('x', length)}\""), "image"u8), Is.EqualTo(expected));

    [Test]
    public void GetString_BytesThatAreNoUtf8_Throws()
    {
        byte[] json = [(byte)'"', 0xC3, (byte)'"'];
        Assert.That(() => JsonText.GetString(JsonElement.Parse(json)), Throws.InvalidOperationException.With.Message.Contains("UTF-8"));
    }
}
