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
}
