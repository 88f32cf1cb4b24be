using System.Net;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>Spellings by which parsers were led to an inner address or another host, beyond those of the corpus.</summary>
[TestFixture]
internal sealed class UrlTricksTests
{
    private static readonly UrlAllowlist Everything = UrlAllowlist.Create(["https://*"]);
    private static readonly UrlAllowlist One = UrlAllowlist.Create(["https://mcp.example.com/v1"]);

    [TestCase("127.0.0.1"), TestCase("127.1"), TestCase("127.0.1"), TestCase("0177.0.0.1"), TestCase("0x7f.0.0.1"), TestCase("0x7f000001"), TestCase("2130706433"), TestCase("017700000001")]
    [TestCase("127.0.0.1."), TestCase("127.000.000.001"), TestCase("127.0.0.1%00"), TestCase("1.1.1.1.nip.io@127.0.0.1"), TestCase("0"), TestCase("0.0.0.0"), TestCase("00.0.0.0"), TestCase("127.0.0.256")]
    [TestCase("169.254.169.254"), TestCase("0xa9fea9fe"), TestCase("2852039166"), TestCase("169.254.43518"), TestCase("0251.0376.0251.0376"), TestCase("\uFF11\uFF16\uFF19.254.169.254"), TestCase("①⑥⑨.②⑤④.①⑥⑨.②⑤④"), TestCase("169\u3002254\u3002169\u3002254")]
    [TestCase("100.64.0.1"), TestCase("10.0.0.1"), TestCase("172.16.0.1"), TestCase("192.168.0.1"), TestCase("198.18.0.1"), TestCase("192.0.0.192"), TestCase("224.0.0.1"), TestCase("255.255.255.255"), TestCase("100.100.100.200")]
    [TestCase("[::1]"), TestCase("[::]"), TestCase("[0:0:0:0:0:0:0:1]"), TestCase("[::ffff:127.0.0.1]"), TestCase("[::ffff:7f00:1]"), TestCase("[::127.0.0.1]"), TestCase("[::7f00:1]"), TestCase("[64:ff9b::7f00:1]"), TestCase("[64:ff9b:1::7f00:1]")]
    [TestCase("[2002:7f00:1::]"), TestCase("[2001:0:1::1]"), TestCase("[fe80::1]"), TestCase("[fe80::1%25eth0]"), TestCase("[fe80::1%eth0]"), TestCase("[fc00::1]"), TestCase("[fd00:ec2::254]"), TestCase("[fec0::1]"), TestCase("[ff02::1]"), TestCase("[::ffff:0:127.0.0.1]")]
    [TestCase("[5f00::1]"), TestCase("[100::1]"), TestCase("[2001:db8::1]"), TestCase("[::1"), TestCase("::1"), TestCase("[::1]]"), TestCase("[v1.x]"), TestCase("[::FFFF:7F00:1]")]
    [TestCase("mcp.example.com._xn--a"), TestCase("mcp.example.com._0"), TestCase("mcp.example.com.-6y"), TestCase("-mcp.example.com"), TestCase("mcp._b.example.com"), TestCase("mcp.example.com.c_m"), TestCase("axn--b.example.com")]
    [TestCase("localhost"), TestCase("LOCALHOST"), TestCase("localhost."), TestCase("a.localhost"), TestCase("lo\u00ADcalhost"), TestCase("ⓛocalhost"), TestCase("localhost%2e"), TestCase("metadata.google.internal"), TestCase("metadata"), TestCase("kubernetes.default.svc"), TestCase("printer.local"), TestCase("a.home.arpa"), TestCase("router.lan")]
    public void Check_InnerAddressInAnySpelling_IsDeniedByAWildcard(string host) =>
        Assert.That(Everything.Check($"https://{host}/").IsAllowed, Is.False);

    [TestCase("https://mcp.example.com@evil.example/v1"), TestCase("https://evil.example#@mcp.example.com/v1"), TestCase("https://evil.example\\@mcp.example.com/v1"), TestCase("https://mcp.example.com\\@evil.example/v1")]
    [TestCase("https://mcp.example.com:443@evil.example/v1"), TestCase("https://mcp.example.com:@evil.example/v1"), TestCase("https://@mcp.example.com/v1"), TestCase("https://:@mcp.example.com/v1"), TestCase("https://mcp.example.com%40evil.example/v1")]
    [TestCase("https://mcp.example.com.evil.example/v1"), TestCase("https://mcp.example.com%2eevil.example/v1"), TestCase("https://mcp.example.com%00.evil.example/v1"), TestCase("https://mcp.example.com\0.evil.example/v1"), TestCase("https://mcp.example.com%20/v1")]
    [TestCase("https://mcp.example.com./v1"), TestCase("https://mcp.example.com../v1"), TestCase("https://mcp.exa\nmple.com/v1"), TestCase("https://mcp.exa\tmple.com/v1"), TestCase("\thttps://mcp.example.com/v1"), TestCase("https://mcp.example.com/v1 "), TestCase("https:\n//mcp.example.com/v1")]
    [TestCase("https:/mcp.example.com/v1"), TestCase("https:mcp.example.com/v1"), TestCase("https:///mcp.example.com/v1"), TestCase("https:\\\\mcp.example.com/v1"), TestCase("//mcp.example.com/v1"), TestCase("HTTPS//mcp.example.com/v1"), TestCase("http://mcp.example.com/v1"), TestCase("ftp://mcp.example.com/v1")]
    [TestCase("https://mcp.example.com:0443/v1"), TestCase("https://mcp.example.com:+443/v1"), TestCase("https://mcp.example.com:443:443/v1"), TestCase("https://mcp.example.com:65979/v1"), TestCase("https://mcp.example.com:0/v1"), TestCase("https://mcp.example.com:4 43/v1"), TestCase("https://mcp.example.com:８443/v1")]
    [TestCase("https://mcp\u3002example\u3002com/v1"), TestCase("https://mcp\uFF0Eexample.com/v1"), TestCase("https://mcp.exa\u200Bmple.com/v1"), TestCase("https://mcp.ex\u0430mple.com/v1"), TestCase("https://ＭＣＰ.example.com/v1"), TestCase("https://mcp.example.c\u212Am/v1"), TestCase("https://mcp.example.com\uFF0Fevil.example/v1"), TestCase("https://mcp.example.com\u2044@evil.example/v1")]
    [TestCase("https://mcp.example.com/v1/../admin"), TestCase("https://mcp.example.com/v1/%2e%2e/admin"), TestCase("https://mcp.example.com/v1/..%2fadmin"), TestCase("https://mcp.example.com/v1/..;/admin"), TestCase("https://mcp.example.com/v1\\..\\admin"), TestCase("https://mcp.example.com/v1/%252e%252e/admin")]
    [TestCase("https://mcp.example.com/v10"), TestCase("https://mcp.example.com/V1"), TestCase("https://mcp.example.com/%761"), TestCase("https://mcp.example.com//v1"), TestCase("https://mcp.example.com/v1#x"), TestCase("https://mcp.example.com/"), TestCase("javascript://mcp.example.com/%0aalert(1)"), TestCase("https://xn--mcp.example.com/v1")]
    public void Check_OtherHostOrPathInTheLookOfTheListedOne_IsDenied(string url) => Assert.That(One.Check(url).IsAllowed, Is.False);

    [TestCase("https://mcp.example.com/v1"), TestCase("https://mcp.example.com:443/v1/x"), TestCase("https://MCP.example.com/v1?a=../b"), TestCase("HTTPS://mcp.example.com/v1/a.b..c")]
    public void Check_TheListedUrl_IsAllowed(string url) => Assert.That(One.Check(url).IsAllowed, Is.True);

    [TestCase("127.0.0.1"), TestCase("::1"), TestCase("::ffff:127.0.0.1"), TestCase("::ffff:169.254.169.254"), TestCase("64:ff9b::a9fe:a9fe"), TestCase("2002:a9fe:a9fe::1"), TestCase("fe80::1"), TestCase("fd00:ec2::254"), TestCase("0.0.0.0"), TestCase("::"), TestCase("100.64.0.1"), TestCase("255.255.255.255"), TestCase("192.0.0.192"), TestCase("198.18.0.1"), TestCase("240.0.0.1"), TestCase("2001:db8::1"), TestCase("::ffff:0:7f00:1"), TestCase("fec0::1"), TestCase("ff0e::1")]
    public void CheckAnswers_NameThatResolvesToAnInnerAddress_IsDenied(string address)
    {
        Assert.That(One.CheckAnswers("https://mcp.example.com/v1", [IPAddress.Parse(address)]).IsAllowed, Is.False);
        Assert.That(One.CheckAnswers("https://mcp.example.com/v1", [IPAddress.Parse("93.184.215.14"), IPAddress.Parse(address)]).IsAllowed, Is.False);
    }
}
