using Mcp.Guard.Stages.ServerRequests;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

[TestFixture]
internal sealed class UrlDisplayTests
{
    [Test]
    public void Read_PlainAddress_ShowsAllOfIt()
    {
        UrlDisplay? display = UrlDisplay.Read("https://accounts.example.com:8443/a?b=c#d");
        Assert.That(display, Is.Not.Null);
        Assert.That(display!.Url, Is.EqualTo("https://accounts.example.com:8443/a?b=c#d"));
        Assert.That(display.Host, Is.EqualTo("accounts.example.com"));
        Assert.That(display.Warning, Is.Null);
    }

    [TestCase("https://g\u0456thub.com/login")]
    [TestCase("https://xn--gthub-n4a.com/login")]
    public void Read_LookalikeHost_Warns(string text) => Assert.That(UrlDisplay.Read(text)?.Warning, Is.Not.Null);

    [TestCase("http://example.com/")]
    [TestCase("javascript:alert(1)")]
    [TestCase("https://github.com@evil.example/")]
    [TestCase("https://exa\u200bmple.com/")]
    [TestCase("https:\\\\evil.example")]
    [TestCase("/relative")]
    [TestCase("")]
    public void Read_AddressThatNobodyShouldOpen_IsRefused(string text) => Assert.That(UrlDisplay.Read(text), Is.Null);

    [TestCase("https://a.example/x![i](https://evil.example/p)", "https://a.example/x!%5Bi%5D(https://evil.example/p)")]
    [TestCase("https://a.example/?filter[name]=b#[c]", "https://a.example/?filter%5Bname%5D=b#%5Bc%5D")]
    [TestCase("https://[::1]/a", "https://[::1]/a")]
    public void Read_BracketsBehindTheHost_AreNoMarkdown(string text, string shown) => Assert.That(UrlDisplay.Read(text)?.Url, Is.EqualTo(shown));

    [Test]
    public void Read_LongAddress_IsRefused() => Assert.That(UrlDisplay.Read("https://a.example/" + new string('a', 2048)), Is.Null);

    [Test]
    public void Read_HttpToThisMachine_Passes() => Assert.That(UrlDisplay.Read("http://127.0.0.1:8080/cb")?.Host, Is.EqualTo("127.0.0.1"));
}
