using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class JsonPointerPatternTests
{
    /// <summary>As UTF-8 it would be U+FFFD, and the pattern would name another member.</summary>
    [Test]
    public void TryParse_HalfOfASurrogatePair_IsRefused()
    {
        // Not in attributes: those are kept as UTF-8.
        foreach (string text in (string[])["/\ud800", "/a\udc00b", "/\udc00\ud800"])
        {
            Assert.That(JsonPointerPattern.TryParse(text, out _), Is.False);
        }
    }

    [TestCase("", true)]
    [TestCase("/", true)]
    [TestCase("/a~0b~1c/*", true)]
    [TestCase("/😀/\ufffd", true)]
    [TestCase("a", false)]
    [TestCase("/~", false)]
    [TestCase("/~2", false)]
    public void TryParse_Text_IsAsTheStandardSays(string text, bool expected) => Assert.That(JsonPointerPattern.TryParse(text, out _), Is.EqualTo(expected));

    [TestCase("", "/ /a /a/0 /a/1/b /a/10 /a~1~0 /* /0")]
    [TestCase("/a", "/a /a/0 /a/1/b /a/10")]
    [TestCase("/A", "")]
    [TestCase("/", "/")]
    [TestCase("/a/0", "/a/0")]
    [TestCase("/a/1", "/a/1/b")]
    [TestCase("/a/10", "/a/10")]
    [TestCase("/a/01", "")]
    [TestCase("/a/00", "")]
    [TestCase("/a/+1", "")]
    [TestCase("/a/-1", "")]
    [TestCase("/a/ 1", "")]
    [TestCase("/a/", "")]
    [TestCase("/a/-", "")]
    [TestCase("/a/1/b", "/a/1/b")]
    [TestCase("/a/1/c", "")]
    [TestCase("/a/1/b/c", "")]
    [TestCase("/a/0/0", "")]
    [TestCase("/*", "/ /a /a/0 /a/1/b /a/10 /a~1~0 /* /0")]
    [TestCase("/a/*", "/a/0 /a/1/b /a/10")]
    [TestCase("/*/0", "/a/0")]
    [TestCase("/*/*/b", "/a/1/b")]
    [TestCase("/*/*/*", "/a/1/b")]
    [TestCase("/*/*/*/*", "")]
    [TestCase("/a~1~0", "/a~1~0")]
    [TestCase("/0", "/0")]
    [TestCase("/00", "")]
    public void Covers_Place_IsWhatIsNamedAndAllInside(string text, string expected)
    {
        Assert.That(JsonPointerPattern.TryParse(text, out JsonPointerPattern? pattern), Is.True);
        var recorder = new PlaceRecorder(pattern, null);
        JsonElement value = JsonElement.Parse("""{"":"s","a":["s",{"b":"s"},2,3,4,5,6,7,8,9,"s"],"a/~":"s","*":"s","0":"s"}""");
        Assert.That(JsonStringWalker.TryWalk(value, ref recorder), Is.True);
        Assert.That(string.Join(' ', recorder.Seen.Where(static seen => seen.IsCovered).Select(static seen => seen.Pointer).Distinct()), Is.EqualTo(expected));
    }

    [TestCase("/~01", "~1")]
    [TestCase("/~1", "/")]
    [TestCase("/~0~1~0", "~/~")]
    public void Covers_EscapedName_IsReadOnce(string text, string name)
    {
        Assert.That(JsonPointerPattern.TryParse(text, out JsonPointerPattern? pattern), Is.True);
        var recorder = new PlaceRecorder(pattern, null);
        JsonStringWalker.TryWalk(JsonElement.Parse($"{{\"{name}\":\"s\"}}"), ref recorder);
        Assert.That(recorder.Seen.Select(static seen => seen.IsCovered), Is.EqualTo((bool[])[true, true]));
    }
}
