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
    [TestCase("https://a.example/a|b", "https://a.example/a%7Cb")]
    [TestCase("https://a.example/?q={b}", "https://a.example/?q=%7Bb%7D")]
    [TestCase("https://a.example/#`b`", "https://a.example/#%60b%60")]
    [TestCase("https://a.example/<b>", "https://a.example/%3Cb%3E")]
    [TestCase("https://a.example/\"^b", "https://a.example/%22%5Eb")]
    public void Read_BracketsBehindTheHost_AreNoMarkdown(string text, string shown) => Assert.That(UrlDisplay.Read(text)?.Url, Is.EqualTo(shown));

    [TestCase("https://a.example/ b")]
    [TestCase("https://a.example/\tb")]
    [TestCase("https://a.example/\nb")]
    [TestCase("https://a.example/b\\c")]
    [TestCase("ftp://a.example/")]
    [TestCase("http://10.0.0.1/")]
    [TestCase("ftp://127.0.0.1/")]
    [TestCase("https://user:word@a.example/")]
    [TestCase("https://\u05D0a.example/", Description = "letters of two directions in one label, which Uri reads and does not encode")]
    public void Read_AddressWithWhatHidesInIt_IsRefused(string text) => Assert.That(UrlDisplay.Read(text), Is.Null);

    [TestCase(2048, true)]
    [TestCase(2049, false)]
    public void Read_Length_IsBounded(int length, bool shown) => Assert.That(UrlDisplay.Read("https://a.example/".PadRight(length, 'a')) is not null, Is.EqualTo(shown));

    [TestCase("https://a.example:443/", "https://a.example/", null)]
    [TestCase("https://a.example:8443/", "https://a.example:8443/", null)]
    [TestCase("http://localhost:80/x", "http://localhost/x", null)]
    [TestCase("https://xn--e1awd7f.example/", "https://xn--e1awd7f.example/", "internationalised")]
    [TestCase("https://a.xn--e1awd7f/", "https://a.xn--e1awd7f/", "internationalised")]
    [TestCase("https://axn--b.example/", "https://axn--b.example/", null)]
    [TestCase("https://g\u0456thub.com/login", "https://xn--gthub-n2e.com/login", "several scripts")]
    public void Read_Address_IsShownAsItIsOpenedWithItsWarning(string text, string shown, string? warning)
    {
        UrlDisplay? display = UrlDisplay.Read(text);
        Assert.That(display?.Url, Is.EqualTo(shown));
        Assert.That(display!.Warning, warning is null ? Is.Null : Does.Contain(warning));
    }

    [Test]
    public void Read_LongAddress_IsRefused() => Assert.That(UrlDisplay.Read("https://a.example/" + new string('a', 2048)), Is.Null);

    [Test]
    public void Read_HttpToThisMachine_Passes() => Assert.That(UrlDisplay.Read("http://127.0.0.1:8080/cb")?.Host, Is.EqualTo("127.0.0.1"));
}
