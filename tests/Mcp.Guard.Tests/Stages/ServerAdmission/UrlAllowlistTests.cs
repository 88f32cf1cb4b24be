using System.Diagnostics;
using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.ServerAdmission;
using Mcp.Guard.Tests.Stages.Roots;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

[TestFixture]
internal sealed class UrlAllowlistTests
{
    private static readonly string[] Pieces =
    [
        "https://", "http://", "HTTPS:", "//", "/", "\\", "@", ":", ":443", ":8443", "#", "?", "mcp.example.com", "MCP", "a.b", "xn--", "xn--bcher-kva",
        "b\u00FCcher", ".", "..", "%2e", "%252e", "%2f", "[::1]", "[", "]", "127.0.0.1", "0x7f", "0177", "2130706433", "\u3002", "\uFF0E", "\u2044", "\u00DF",
        "\u212A", "\u0131", "e\u0301", "\u0430", "localhost", " ", "\t", "\0", "\uD800", "v1", ";", "*", "-", "_",
    ];

    [Test]
    public void Verdict_Default_Denies()
    {
        Assert.That(default(UrlVerdict).IsAllowed, Is.False);
        Assert.That(default(CommandVerdict).IsAllowed, Is.False);
        Assert.That(default(CommandArgument).Text, Is.Null);
    }

    [TestCase("https://*.com", "register")]
    [TestCase("https://*.co.uk", "register")]
    [TestCase("https://*.github.io", "register")]
    [TestCase("https://mcp*.example.com", "star")]
    [TestCase("*", "http")]
    [TestCase("example.com", "http")]
    [TestCase("https://user@example.com", "user")]
    [TestCase("https://*.10.0.0.1", "address")]
    [TestCase("https://a.example.com/x?y", "query")]
    [TestCase("https://a.example.com/x/../y", "dot segments")]
    [TestCase("https://a.example.com/%2e", "dot segments")]
    [TestCase("http://a.example.com", "https")]
    [TestCase("http://10.0.0.1", "https")]
    [TestCase("https://*.corp.internal", "exact")]
    [TestCase("https://bad pattern", "blank")]
    [TestCase("", "http")]
    public void Create_BadEntry_IsReportedAndDoesNotSpoilTheRest(string entry, string word)
    {
        UrlAllowlist allowlist = UrlAllowlist.Create([entry, "https://mcp.example.com"]);
        Assert.That(allowlist.Problems.Single().Message, Does.Contain(word));
        Assert.That(allowlist.Check("https://mcp.example.com/x").IsAllowed, Is.True);
    }

    [TestCase("https://b\u00FCcher.example.com", "https://xn--bcher-kva.example.com/", true)]
    [TestCase("https://xn--bcher-kva.example.com", "https://B\u00DCCHER.example.com/", true)]
    [TestCase("https://\u4F8B\u3048.example.com", "https://xn--r8jz45g.example.com/", true)]
    [TestCase("https://\u0440\u043E\u0441\u0441\u0438\u044F.example.com", "https://xn--h1alffa9f.example.com/", true)]
    [TestCase("https://\uD55C\uAD6D.example.com", "https://xn--3e0b707e.example.com/", true)]
    [TestCase("https://fa\u00DF.example.com", "https://xn--fa-hia.example.com/", true)]
    [TestCase("https://b\u00FCcher.example.com", "https://bu\u0308cher.example.com/", false)]
    [TestCase("https://*.example.com", "https://bu\u0308cher.example.com/", false)]
    [TestCase("https://*.example.com", "https://\u1E9E.example.com/", false)]
    [TestCase("https://stra\u00DFe.example.com", "https://STRA\u00DFE.example.com/", true)]
    [TestCase("https://*.example.com", "https://\u0E1A\u0E49\u0E32\u0E19.example.com/", true)]
    [TestCase("https://*.example.com", "https://\u09AC\u09BE\u0982\u09B2\u09BE.example.com/", true)]
    [TestCase("https://*.example.com", "https://\uD55C\uAD6D.example.com/", true)]
    [TestCase("https://*.example.com", "https://\u1112\u1161\u11AB.example.com/", false)]
    [TestCase("https://*.example.com", "https://\u00E2\u0323.example.com/", false)]
    [TestCase("https://*.example.com", "https://\u24D4vil.example.com/", false)]
    [TestCase("https://*.example.com", "https://a\u3002b.example.com/", false)]
    [TestCase("https://*.example.com", "https://xn--a.example.com/", false)]
    [TestCase("https://*.example.com", "https://xn--example-.example.com/", false)]
    [TestCase("https://*.example.com", "https://XN--BCHER-KVA.example.com/", true)]
    [TestCase("https://*.example.com", "https://xn--strae-oqa.example.com/", true)]
    [TestCase("https://*", "https://93.184.215.14/", true)]
    [TestCase("https://*", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", true)]
    [TestCase("https://*", "https://[2606:2800:021f:cb07:6820:80da:af6b:8b2c]/", false)]
    [TestCase("https://*", "https://[::ffff:93.184.215.14]/", true)]
    [TestCase("https://*", "https://1.2.3.4.5/", false)]
    [TestCase("https://*", "https://a.0x10/", false)]
    [TestCase("https://*", "https://intranet/", false)]
    [TestCase("https://intranet", "https://intranet/", true)]
    [TestCase("https://mcp.example.com", "https://mcp.example.com:/", false)]
    [TestCase("https://mcp.example.com", "https://mcp.example.com:65536/", false)]
    [TestCase("https://mcp.example.com/v1", "https://mcp.example.com/v1/a/../b", true)]
    [TestCase("https://mcp.example.com/v1", "https://mcp.example.com/v1/..", false)]
    [TestCase("https://mcp.example.com/v1", "https://mcp.example.com/V1", false)]
    [TestCase("https://mcp.example.com/v1", "https://mcp.example.com/v1/%00", false)]
    [TestCase("https://mcp.example.com/v1", "https://mcp.example.com/v1/%c0%ae%c0%ae/x", false)]
    [TestCase("https://mcp.example.com/v1", "https://mcp.example.com/v1/..%3b/x", false)]
    [TestCase("https://mcp.example.com/v1", "https://mcp.example.com/v1/%25252f", false)]
    [TestCase("https://mcp.example.com/v1", "https://mcp.example.com/v1/a%20b?q=%2e", true)]
    [TestCase("https://169.254.169.254", "https://169.254.169.254/", true)]
    public void Check_Url_DecidesByItsHostAndPath(string entry, string url, bool allowed) =>
        Assert.That(UrlAllowlist.Create([entry]).Check(url).IsAllowed, Is.EqualTo(allowed));

    [Test]
    public void CheckExact_WildcardEntry_DoesNotCount()
    {
        UrlAllowlist allowlist = UrlAllowlist.Create(["https://*.example.com", "https://login.example.com/oauth"]);
        Assert.That(allowlist.CheckExact("https://login.example.com/oauth/token").IsAllowed, Is.True);
        Assert.That(allowlist.CheckExact("https://login.example.com/other").IsAllowed, Is.False);
        Assert.That(allowlist.CheckExact("https://mcp.example.com/oauth").IsAllowed, Is.False);
        Assert.That(UrlAllowlist.Create(["https://*"]).CheckExact("https://mcp.example.com/").IsAllowed, Is.False);
    }

    [TestCase("http://localhost:1", "127.0.0.1", true)]
    [TestCase("http://localhost:1", "::1", true)]
    [TestCase("http://localhost:1", "10.0.0.1", false)]
    [TestCase("http://localhost:1", "93.184.215.14", false)]
    [TestCase("https://printer.local:1", "10.0.0.1", true)]
    [TestCase("https://printer.local:1", "169.254.169.254", false)]
    [TestCase("https://mcp.example.com:1", "fd00::1", false)]
    public void CheckAnswers_Name_PermitsWhatItsKindMayResolveTo(string entry, string answer, bool allowed) =>
        Assert.That(UrlAllowlist.Create([entry]).CheckAnswers(entry + "/", [IPAddress.Parse(answer)]).IsAllowed, Is.EqualTo(allowed));

    [TestCase("0.0.0.0", "Reserved")]
    [TestCase("255.255.255.255", "Reserved")]
    [TestCase("100.127.255.255", "Private")]
    [TestCase("100.128.0.0", "Public")]
    [TestCase("100.100.100.200", "Metadata")]
    [TestCase("172.31.255.255", "Private")]
    [TestCase("172.32.0.0", "Public")]
    [TestCase("192.88.99.1", "Reserved")]
    [TestCase("198.19.255.255", "Reserved")]
    [TestCase("198.20.0.0", "Public")]
    [TestCase("8.8.8.8", "Public")]
    [TestCase("::", "Reserved")]
    [TestCase("::ffff:169.254.169.254", "Metadata")]
    [TestCase("::ffff:0:127.0.0.1", "Reserved")]
    [TestCase("64:ff9b::7f00:1", "Loopback")]
    [TestCase("64:ff9b:1::808:808", "Reserved")]
    [TestCase("fd00:ec2::254", "Metadata")]
    [TestCase("fec0::1", "Reserved")]
    [TestCase("2001:db8::1", "Reserved")]
    [TestCase("2001:4860:4860::8888", "Public")]
    [TestCase("2001:20::1", "Reserved")]
    [TestCase("3fff::1", "Reserved")]
    [TestCase("2606:4700::5efe:7f00:1", "Reserved")]
    [TestCase("fe80::1%1", "LinkLocal")]
    public void Classify_Address_FollowsTheRegistries(string address, string scope) =>
        Assert.That(AddressRules.Classify(IPAddress.Parse(address)).ToString(), Is.EqualTo(scope));

    [Test]
    public void Check_RandomNoise_NeverThrowsAndAgreesWithUri()
    {
        // An allowed URL has to mean the same host and port to the class that sends it.
        UrlAllowlist allowlist = UrlAllowlist.Create(
            ["https://*", "https://mcp.example.com:8443/v1", "http://localhost:8443", "https://*.example.com", "https://127.0.0.1", "https://[::1]"]);
        Random random = RandomPaths.Seeded(12);
        var since = Stopwatch.StartNew();
        int allowed = 0;
        int done = 0;
        Span<char> buffer = stackalloc char[UrlParser.MaxHostLength];
        for (; RandomPaths.GoesOn(done, 20_000, since); done++)
        {
            string url = (random.Next(3) == 0 ? string.Empty : "https://") + (random.Next(2) == 0 ? "mcp.example.com" : string.Empty) + RandomPaths.Noise(random, Pieces);
            UrlVerdict verdict = allowlist.Check(url);
            UrlAllowlist.Create([url]);
            allowlist.CheckRedirect("https://mcp.example.com/a", url, out _);
            if (!verdict.IsAllowed)
            {
                continue;
            }

            allowed++;
            Assert.That(UrlParser.TryParse(url, buffer, out ParsedUrl parsed, out _), Is.True);
            if (Ascii(url))
            {
                Assert.That(Uri.TryCreate(url, UriKind.Absolute, out Uri? uri), Is.True, url);

                // An address is the same in either of its spellings: Uri writes a mapped one with dots, the URL Standard in hexadecimal.
                string sent = uri!.IdnHost.Trim('[', ']');
                Assert.That(parsed.Address is null ? sent == parsed.Host.ToString() : IPAddress.TryParse(sent, out IPAddress? address) && address.Equals(parsed.Address), Is.True, url);
                Assert.That(uri.Port, Is.EqualTo(parsed.Port), url);
                Assert.That(uri.UserInfo, Is.Empty, url);
            }
        }

        Assert.That(allowed, Is.GreaterThan(done / 200));

        static bool Ascii(string text) => System.Text.Ascii.IsValid(text);
    }

    // Found by a long run of the noise: one address, two spellings, and Uri gives the other one back.
    [TestCase("https://[::ffff:5db8:d70e]/")]
    [TestCase("https://[::ffff:93.184.215.14]/")]
    public void TryParse_MappedAddress_IsTheAddressThatUriSends(string url)
    {
        Assert.That(UrlParser.TryParse(url, new char[UrlParser.MaxHostLength], out ParsedUrl parsed, out _), Is.True);
        Assert.That(parsed.Address, Is.EqualTo(IPAddress.Parse(new Uri(url).IdnHost.Trim('[', ']'))));
        Assert.That(UrlAllowlist.Create(["https://*"]).Check(url).IsAllowed, Is.True);
    }

    [Test]
    public void Check_FurtherEntry_NeverDeniesMore() =>
        Check.One(RandomPaths.Config(), Prop.ForAll(
            Gen.Choose(0, 6).SelectMany(count => Gen.Elements(Pieces).ArrayOf(count)).Select(string.Concat).ToArbitrary(),
            Gen.Elements("https://mcp.example.com", "https://*", "https://mcp.example.com/v1", "bad entry", "https://*.example.com").ToArbitrary(),
            (tail, further) =>
            {
                string url = "https://mcp.example.com" + tail;
                UrlAllowlist one = UrlAllowlist.Create(["https://mcp.example.com/v1", "https://*.example.com"]);
                UrlAllowlist two = UrlAllowlist.Create(["https://mcp.example.com/v1", "https://*.example.com", further]);
                return !one.Check(url).IsAllowed || two.Check(url).IsAllowed;
            }));
}
