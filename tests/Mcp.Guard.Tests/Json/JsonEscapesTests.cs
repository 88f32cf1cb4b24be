using System.Text;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class JsonEscapesTests
{
    [TestCase("plain", "plain")]
    [TestCase("""\"\\\/\b\f\n\r\t""", "\"\\/\b\f\n\r\t")]
    [TestCase("""a\u00e9\u00C9b""", "aéÉb")]
    [TestCase("""\uD83d\uDe00\u0000""", "😀\0")]
    [TestCase("""\u09Af\uFfFf""", "\u09af\uffff")]
    public void TryUnescape_AcceptedString_IsItsText(string inside, string expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(inside);
        byte[] plain = new byte[bytes.Length];
        Assert.That(JsonEscapes.TryUnescape(bytes, plain, out int written), Is.True);
        Assert.That(Encoding.UTF8.GetString(plain, 0, written), Is.EqualTo(expected));
        Assert.That(JsonEscapes.IsWellFormed(bytes), Is.True);
    }

    // No parser lets the first ones through; if one did, they would still name nothing.
    [TestCase("""\""")]
    [TestCase("""a\x41""")]
    [TestCase("""\u""")]
    [TestCase("""\u123""")]
    [TestCase("""\u00/1""")]
    [TestCase("""\u00:1""")]
    [TestCase("""\u00@1""")]
    [TestCase("""\u00G1""")]
    [TestCase("""\u00`1""")]
    [TestCase("""\u00g1""")]
    [TestCase("""\ud83d""")]
    [TestCase("""\ud83d\ude0""")]
    [TestCase("""\ud83d\n""")]
    [TestCase("""\ud83dxude00""")]
    [TestCase("""\ud83d\xde00""")]
    [TestCase("""\ude00\ud83d""")]
    public void TryUnescape_BadEscapeOrLoneSurrogate_IsRefused(string inside)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(inside);
        Assert.That(JsonEscapes.TryUnescape(bytes, new byte[bytes.Length], out _), Is.False);
        Assert.That(JsonEscapes.IsWellFormed(bytes), Is.False);
    }
}
