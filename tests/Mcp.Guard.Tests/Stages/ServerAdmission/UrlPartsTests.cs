using System.Net;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>The parts of the judgement of URLs by themselves: reading, paths, references, entries, and the reason that is told.</summary>
[TestFixture]
internal sealed class UrlPartsTests
{
    [TestCase("https://a.example.com", true, "a.example.com", "Name", 443, "", "")]
    [TestCase("HTTP://A.Example.COM:8080/Path?Query?x", false, "a.example.com", "Name", 8080, "/Path", "?Query?x")]
    [TestCase("https://a.example.com?q/x", true, "a.example.com", "Name", 443, "", "?q/x")]
    [TestCase("http://a.example.com:1", false, "a.example.com", "Name", 1, "", "")]
    [TestCase("https://a.example.com:65535/", true, "a.example.com", "Name", 65535, "/", "")]
    [TestCase("https://_mcp.example.net/", true, "_mcp.example.net", "Name", 443, "/", "")]
    [TestCase("https://a-b.example.net/", true, "a-b.example.net", "Name", 443, "/", "")]
    [TestCase("https://b\u00FCcher.example.net/", true, "xn--bcher-kva.example.net", "Name", 443, "/", "")]
    [TestCase("https://1.2.3.4/", true, "1.2.3.4", "AddressV4", 443, "/", "")]
    [TestCase("https://255.0.10.99:9/", true, "255.0.10.99", "AddressV4", 9, "/", "")]
    [TestCase("https://[::1]:9/", true, "::1", "AddressV6", 9, "/", "")]
    [TestCase("https://[2606:2800:21F:CB07::B2C]/", true, "2606:2800:21f:cb07::b2c", "AddressV6", 443, "/", "")]
    [TestCase("https://[::ffff:1.2.3.4]/", true, "::ffff:1.2.3.4", "AddressV6", 443, "/", "")]
    [TestCase("https://[::ffff:102:304]/", true, "::ffff:102:304", "AddressV6", 443, "/", "")]
    [TestCase("https://[1:0:0:2::]/", true, "1:0:0:2::", "AddressV6", 443, "/", "")]
    [TestCase("https://[1:0:2:3:4:5:6:7]/", true, "1:0:2:3:4:5:6:7", "AddressV6", 443, "/", "")]
    [TestCase("https://[2606:4700::5efe:102:304]/", true, "2606:4700::5efe:102:304", "AddressV6", 443, "/", "")]
    [TestCase("https://[2606:1:2:3:0:5efe:102:304]/", true, "2606:1:2:3:0:5efe:102:304", "AddressV6", 443, "/", "")]
    [TestCase("https://intranet/", true, "intranet", "SpecialName", 443, "/", "")]
    [TestCase("https://a.local/", true, "a.local", "SpecialName", 443, "/", "")]
    [TestCase("https://home.arpa/", true, "home.arpa", "SpecialName", 443, "/", "")]
    [TestCase("https://notlocal/", true, "notlocal", "SpecialName", 443, "/", "")]
    [TestCase("https://a.notlocal/", true, "a.notlocal", "Name", 443, "/", "")]
    [TestCase("https://0xg.example.net/", true, "0xg.example.net", "Name", 443, "/", "")]
    [TestCase("https://a.0xg/", true, "a.0xg", "Name", 443, "/", "")]
    public void TryParse_Url_HasItsParts(string url, bool tls, string host, string kind, int port, string path, string query)
    {
        Span<char> buffer = stackalloc char[UrlParser.MaxHostLength];
        Assert.That(UrlParser.TryParse(url, buffer, out ParsedUrl parsed, out UrlDenial denial), Is.True);
        Assert.That(
            (parsed.IsTls, parsed.Host.ToString(), parsed.HostKind.ToString(), parsed.Port, parsed.Path.ToString(), parsed.Query.ToString(), denial),
            Is.EqualTo((tls, host, kind, port, path, query, default(UrlDenial))));
        Assert.That(parsed.Address, kind.StartsWith("Address", StringComparison.Ordinal) ? Is.EqualTo(IPAddress.Parse(host)) : Is.Null);
    }

    [TestCase("", "NoScheme")]
    [TestCase("ftp://a.example.com", "NoScheme")]
    [TestCase("https:/a.example.com", "NoScheme")]
    [TestCase("\u00FChttps://a.example.com", "NoScheme")]
    [TestCase("https://u@a.example.com", "UserInfo")]
    [TestCase("https://a.example.com?@", "UserInfo")]
    [TestCase("https:///a@b", "Host")]
    [TestCase("https://a.example.com#x", "Fragment")]
    [TestCase("https://a.example.com/#", "Fragment")]
    [TestCase("https://a b", "ForbiddenCharacter")]
    [TestCase("https://a\\b", "ForbiddenCharacter")]
    [TestCase("\thttps://a.example.com", "ForbiddenCharacter")]
    [TestCase("https://\u200B.example.com", "ForbiddenCharacter")]
    [TestCase("https://\u3000.example.com", "ForbiddenCharacter")]
    [TestCase("https://\u0085.example.com", "ForbiddenCharacter")]
    [TestCase("https://b\u00FC.example.com/\t", "ForbiddenCharacter")]
    [TestCase("https://a.example.com/\u00FC", "ForbiddenCharacter")]
    [TestCase("https://b\u00FC.example.com/\u00FC", "ForbiddenCharacter")]
    [TestCase("https://a.example.com?\u00FC", "ForbiddenCharacter")]
    [TestCase("https://", "Host")]
    [TestCase("https:///x", "Host")]
    [TestCase("https://:443", "Host")]
    [TestCase("https://?a:x", "Host")]
    [TestCase("https://a..b", "Host")]
    [TestCase("https://.a", "Host")]
    [TestCase("https://a.example.com.", "Host")]
    [TestCase("https://a+b.example.com", "Host")]
    [TestCase("https://-a.example.com", "Host")]
    [TestCase("https://--.example.com", "Host")]
    [TestCase("https://_.example.com", "Host")]
    [TestCase("https://a._b.example.com", "Host")]
    [TestCase("https://a.example.c_m", "Host")]
    [TestCase("https://*.example.com", "Host")]
    [TestCase("https://*", "Host")]
    [TestCase("https://xn--a.example.com", "HostNotCanonical")]
    [TestCase("https://bu\u0308cher.example.com", "HostNotCanonical")]
    [TestCase("https://1.2.3", "Address")]
    [TestCase("https://1.2.3.4.5", "Address")]
    [TestCase("https://1.2.3.256", "Address")]
    [TestCase("https://1.2.3.04", "Address")]
    [TestCase("https://1.2.3.0004", "Address")]
    [TestCase("https://a.b.c.4", "Address")]
    [TestCase("https://a.0x", "Address")]
    [TestCase("https://0x7f.1", "Address")]
    [TestCase("https://[::1", "Port")]
    [TestCase("https://[", "Address")]
    [TestCase("https://[::1]x", "Address")]
    [TestCase("https://[1.2.3.4]", "Address")]
    [TestCase("https://[::1%1]", "Address")]
    [TestCase("https://[0:0::1]", "Address")]
    [TestCase("https://[1:0:2:3:4:5:6::]", "Address")]
    [TestCase("https://[::01]", "Address")]
    [TestCase("https://[]", "Address")]
    [TestCase("https://a.example.com:", "Port")]
    [TestCase("https://a.example.com:0", "Port")]
    [TestCase("https://a.example.com:080", "Port")]
    [TestCase("https://a.example.com:65536", "Port")]
    [TestCase("https://a.example.com:100000", "Port")]
    [TestCase("https://a.example.com:+1", "Port")]
    [TestCase("https://a.example.com:1:2", "Port")]
    [TestCase("https://[::1]:x", "Port")]
    public void TryParse_Refused_SaysWhy(string url, string reason)
    {
        Span<char> buffer = stackalloc char[UrlParser.MaxHostLength];
        Assert.That(UrlParser.TryParse(url, buffer, out _, out UrlDenial denial), Is.False);
        Assert.That(denial.ToString(), Is.EqualTo(reason));
    }

    // Not as a case: an attribute cannot hold half of a pair.
    [Test]
    public void TryParse_HalfOfAPair_IsRefused() => Assert.Multiple(() =>
    {
        Assert.That(Denied("https://\uD800.example.com/"), Is.EqualTo("ForbiddenCharacter"));
        Assert.That(Denied("https://b\u00FC\uDC00.example.com/"), Is.EqualTo("ForbiddenCharacter"));
    });

    [Test]
    public void TryParse_LongestUrlHostAndLabel_AreRead() => Assert.Multiple(() =>
    {
        Assert.That(Denied("https://a.example.com/" + new string('x', UrlParser.MaxLength - 22)), Is.Null);
        Assert.That(Denied("https://a.example.com/" + new string('x', UrlParser.MaxLength - 21)), Is.EqualTo("TooLong"));
        Assert.That(Denied($"https://{new string('a', 63)}.example.com/"), Is.Null);
        Assert.That(Denied($"https://{new string('a', 64)}.example.com/"), Is.EqualTo("Host"));
        string labels = string.Join('.', Enumerable.Repeat(new string('a', 49), 5)) + ".";
        Assert.That(Denied($"https://{labels}com/"), Is.Null, "253 characters");
        Assert.That(Denied($"https://{labels}info/"), Is.EqualTo("Host"));
        Assert.That(Denied($"https://{labels}co.i/"), Is.EqualTo("Host"));
        Assert.That(Denied($"https://{labels}com./"), Is.EqualTo("Host"));
        Assert.That(Denied($"https://{labels}b\u00FCcher/"), Is.EqualTo("Host"));
        Assert.That(Denied($"https://{labels}\u00FC/"), Is.EqualTo("Host"), "its encoded form is longer than what is left");
        Assert.That(Denied($"https://{labels[4..]}\u00FC/"), Is.Null, "253 characters with the encoded form");
        Assert.That(Denied($"https://{labels[3..]}\u00FC/"), Is.EqualTo("Host"));
    });

    [Test]
    public void IsSpecialName_EverySuffixThatDnsDoesNotOwn_IsOne() => Assert.Multiple(() =>
    {
        foreach (string suffix in (string[])["localhost", "localdomain", "local", "internal", "svc", "home.arpa", "lan", "home", "corp", "mail", "intranet", "private", "alt", "test", "invalid", "example", "onion"])
        {
            Assert.That(UrlParser.IsSpecialName(suffix), Is.True, suffix);
            Assert.That(UrlParser.IsSpecialName("a." + suffix), Is.True, suffix);
            Assert.That(UrlParser.IsSpecialName("a.x" + suffix), Is.False, suffix);
            Assert.That(UrlParser.IsSpecialName(suffix + ".net"), Is.False, suffix);
        }
    });

    [TestCase("/a/b", "/a/b")]
    [TestCase("/a/./b", "/a/b")]
    [TestCase("/a/../b", "/b")]
    [TestCase("/a/b/../../..", "/")]
    [TestCase("/../a", "/a")]
    [TestCase("/a/.", "/a/")]
    [TestCase("/a/..", "/")]
    [TestCase("/a/b/..", "/a/")]
    [TestCase("/.a/..b/...", "/.a/..b/...")]
    [TestCase("/a//../b", "/a/b")]
    [TestCase("/./", "/")]
    public void RemoveDots_Path_IsThatOfRfc3986(string path, string expected) =>
        Assert.That(UrlPath.RemoveDots(path, new char[path.Length + 1]).ToString(), Is.EqualTo(expected));

    [TestCase("/a/b.c/..d", true)]
    [TestCase("/a;x=1/b", true)]
    [TestCase("/a.;x", true)]
    [TestCase("/.;x", false)]
    [TestCase("/..;", false)]
    [TestCase("/a/..;/b", false)]
    [TestCase("/...;", true)]
    [TestCase("/.../..;x", false)]
    [TestCase("/a%20b", true)]
    [TestCase("/%41", true)]
    [TestCase("/%2", false)]
    [TestCase("/%", false)]
    [TestCase("/%zz", false)]
    [TestCase("/a%20%", false)]
    [TestCase("/%2e", false)]
    [TestCase("/%2F", false)]
    [TestCase("/%2e%2f", false)]
    [TestCase("/%2e%5c", false)]
    [TestCase("/%2e%00", false)]
    [TestCase("/%5c", false)]
    [TestCase("/%00", false)]
    [TestCase("/%252e", false)]
    [TestCase("/%2525", true)]
    [TestCase("/%25252525252525", true)]
    [TestCase("/%2525252525252525", false)]
    [TestCase("/..%3bx", false)]
    [TestCase("/%25252525252525252525", false)]
    public void IsUnambiguous_Path_IsWhatEveryServerReads(string path, bool expected) => Assert.That(UrlPath.IsUnambiguous(path), Is.EqualTo(expected));

    [TestCase("https://a.example.com/x/y?q", "z", "https://a.example.com/x/z")]
    [TestCase("https://a.example.com", "z", "https://a.example.com/z")]
    [TestCase("https://a.example.com?q", "z", "https://a.example.com/z")]
    [TestCase("https://a.example.com/x/y?q/r", "/z", "https://a.example.com/z")]
    [TestCase("https://a.example.com/x/y?q", "?r", "https://a.example.com/x/y?r")]
    [TestCase("https://a.example.com?q", "?r", "https://a.example.com?r")]
    [TestCase("https://a.example.com/x/y?q", "#f", "https://a.example.com/x/y#f")]
    [TestCase("https://a.example.com/x", "//b.example.com/z", "https://b.example.com/z")]
    [TestCase("https://a.example.com/x", "http://b.example.com", "http://b.example.com")]
    [TestCase("https://a.example.com/x", "mailto:x", "mailto:x")]
    [TestCase("https://a.example.com/x", "x+y-z.1:w", "x+y-z.1:w")]
    [TestCase("https://a.example.com/x", "1x:y", "https://a.example.com/1x:y")]
    [TestCase("https://a.example.com/x", "x_y:z", "https://a.example.com/x_y:z")]
    [TestCase("https://a.example.com/x", "y/z:w", "https://a.example.com/y/z:w")]
    [TestCase("https://a.example.com/x", ":w", "https://a.example.com/:w")]
    [TestCase("https://a.example.com/x", "y?z:w", "https://a.example.com/y?z:w")]
    [TestCase("https://a.example.com/x", "", null)]
    [TestCase("https://a.example.com/x", "a\\b", null)]
    [TestCase("a.example.com/x", "y", null)]
    public void TryResolve_Reference_IsThatOfRfc3986(string from, string reference, string? expected)
    {
        Assert.That(UrlReference.TryResolve(from, reference, out string target), Is.EqualTo(expected is not null));
        Assert.That(target, Is.EqualTo(expected ?? string.Empty));
    }

    [Test]
    public void TryResolve_LongestReference_IsRead()
    {
        Assert.That(UrlReference.TryResolve("https://a.example.com", new string('x', UrlParser.MaxLength), out _), Is.True);
        Assert.That(UrlReference.TryResolve("https://a.example.com", new string('x', UrlParser.MaxLength + 1), out _), Is.False);
    }

    [TestCase("https://a*.example.com", "a star stands for the whole host or, followed by a dot, for whole labels in front of a name")]
    [TestCase("https://a..example.com", "the entry cannot be read: the URL has no valid host name")]
    [TestCase("https://a.example.com?", "the entry has a query, which is not matched; remove it")]
    [TestCase("https://a.example.com/./b", "the path of the entry has dot segments or escapes that servers read differently; write the plain path")]
    [TestCase("https://a.example.com/../b", "the path of the entry has dot segments or escapes that servers read differently; write the plain path")]
    [TestCase("https://a.example.com/.", "the path of the entry has dot segments or escapes that servers read differently; write the plain path")]
    [TestCase("https://a.example.com/..", "the path of the entry has dot segments or escapes that servers read differently; write the plain path")]
    [TestCase("https://*.1.2.3.4", "a star in front of an address means nothing")]
    [TestCase("https://*.[::1]", "a star in front of an address means nothing")]
    [TestCase("https://*.net", "the star covers a suffix below which anyone can register names; name the domain")]
    [TestCase("https://*.vercel.app", "the star covers a suffix below which anyone can register names; name the domain")]
    [TestCase("https://*.a.internal", "names that public DNS does not own need an exact entry")]
    [TestCase("http://a.example.net", "plain http is only for loopback; use https")]
    [TestCase("http://*", "plain http is only for loopback; use https")]
    [TestCase("http://a.local", "plain http is only for loopback; use https")]
    [TestCase("http://[fe80::1]", "plain http is only for loopback; use https")]
    [TestCase("http://localhost", null)]
    [TestCase("http://a.localhost:9/x", null)]
    [TestCase("http://127.0.0.2", null)]
    [TestCase("http://[::1]", null)]
    [TestCase("https://a.example.com/.b/c..", null)]
    public void TryCompile_Entry_SaysWhatIsWrongWithIt(string entry, string? problem)
    {
        Assert.That(UrlPattern.TryCompile(entry, false, out UrlPattern? pattern, out string told), Is.EqualTo(problem is null));
        Assert.That(told, Is.EqualTo(problem ?? string.Empty));
        Assert.That(pattern?.Text, Is.EqualTo(problem is null ? entry : null));
        Assert.That(UrlAllowlist.Create([entry, "nothing"]).Problems.Select(found => (found.Index, found.Message)).ToArray(), Has.Length.EqualTo(problem is null ? 1 : 2));
    }

    [TestCase("co.uk org.uk ac.uk gov.uk me.uk com.au net.au org.au co.nz co.jp ne.jp or.jp co.kr com.br com.cn com.hk com.mx com.sg com.tr com.tw co.id co.il co.in co.th co.za com.ar com.ua com.pl")]
    [TestCase("github.io gitlab.io bitbucket.io githubpreview.dev app.github.dev pages.dev workers.dev r2.dev vercel.app now.sh netlify.app herokuapp.com onrender.com fly.dev railway.app up.railway.app")]
    [TestCase("azurewebsites.net azurecontainerapps.io azurestaticapps.net cloudapp.net cloudapp.azure.com blob.core.windows.net web.core.windows.net cloudfront.net amazonaws.com s3.amazonaws.com")]
    [TestCase("elasticbeanstalk.com on.aws awsapprunner.com appspot.com run.app a.run.app web.app firebaseapp.com cloudfunctions.net deno.dev replit.app repl.co glitch.me surge.sh hf.space streamlit.app")]
    [TestCase("ngrok.io ngrok.app ngrok-free.app trycloudflare.com loca.lt lhr.life serveo.net duckdns.org nip.io sslip.io xip.io")]
    public void TryCompile_StarBelowASuffixThatIsOpenToAnyone_IsRefused(string suffixes) => Assert.Multiple(() =>
    {
        foreach (string suffix in suffixes.Split(' '))
        {
            Assert.That(UrlPattern.TryCompile("https://*." + suffix, false, out _, out string problem), Is.False, suffix);
            Assert.That(problem, Does.Contain("anyone can register"), suffix);
            Assert.That(UrlPattern.TryCompile("https://*.mine." + suffix, false, out _, out _), Is.True, suffix);
            Assert.That(UrlPattern.TryCompile("https://mine." + suffix, false, out _, out _), Is.True, suffix);
        }
    });

    [TestCase("https://a.example.net/v1/", "https://a.example.net/v1", true)]
    [TestCase("https://a.example.net/v1/", "https://a.example.net/v1/x", true)]
    [TestCase("https://a.example.net/v1", "https://a.example.net/v1x", false)]
    [TestCase("https://a.example.net/", "https://a.example.net/v1x", true)]
    [TestCase("https://*.a.example.net", "https://a.example.net", false)]
    [TestCase("https://*.a.example.net", "https://b.a.example.net", true)]
    [TestCase("https://*.a.example.net", "https://ba.example.net", false)]
    [TestCase("https://*.a.example.net:8443", "https://b.a.example.net", false)]
    [TestCase("https://*", "https://1.1.1.1", true)]
    [TestCase("https://*", "https://10.1.1.1", false)]
    [TestCase("https://*", "https://a.local", false)]
    [TestCase("https://*:8443", "https://a.example.net", false)]
    [TestCase("https://[::ffff:1.1.1.1]", "https://[::ffff:1.1.1.1]", true)]
    [TestCase("https://[::ffff:1.1.1.1]", "https://[::ffff:101:101]", false)]
    [TestCase("https://[::ffff:1.1.1.1]", "https://1.1.1.1", false)]
    [TestCase("https://a.local", "https://a.local", true)]
    public void Check_EntryAndUrl_MatchByOriginAndWholeSegments(string entry, string url, bool expected) =>
        Assert.That(UrlAllowlist.Create([entry]).Check(url).IsAllowed, Is.EqualTo(expected));

    [TestCase("https://a.local", "SpecialName")]
    [TestCase("https://10.0.0.1", "PrivateAddress")]
    [TestCase("https://[fe80::1]", "PrivateAddress")]
    [TestCase("https://1.1.1.1", "NotListed")]
    [TestCase("https://b.example.net", "NotListed")]
    [TestCase("https://a.example.net/v2", "PathNotListed")]
    [TestCase("https://a.example.net/v1/%2e", "PathEncoding")]
    [TestCase("nothing", "NoScheme")]
    public void Check_Denied_SaysWhy(string url, string reason)
    {
        UrlVerdict verdict = UrlAllowlist.Create(["https://a.example.net/v1"]).Check(url);
        Assert.That((verdict.IsAllowed, verdict.Denial.ToString(), verdict.Code), Is.EqualTo((false, reason, "url-not-allowed")));
        Assert.That(verdict.Message, Is.EqualTo(UrlDenials.Describe(verdict.Denial)));
    }

    [Test]
    public void Check_Allowed_NamesTheEntryAndHasNoCode()
    {
        UrlAllowlist allowlist = UrlAllowlist.Create(["https://a.example.net/v1", "https://a.example.net"]);
        UrlVerdict verdict = allowlist.Check("https://a.example.net/v1");
        Assert.That((verdict.Pattern!.Text, verdict.Code, verdict.Message), Is.EqualTo(("https://a.example.net", null as string, string.Empty)), "an entry for every path needs no look at the path");
        Assert.That(allowlist.CheckExact("https://a.example.net/v1").IsAllowed, Is.True);
    }

    [TestCase("https://a.example.net", "a.example.net", true, 443, "93.184.215.14", null)]
    [TestCase("https://a.example.net", "a.example.net", true, 443, "", "NoAnswer")]
    [TestCase("https://a.example.net", "a.example.net", true, 443, "93.184.215.14 10.0.0.1", "AnswerNotPublic")]
    [TestCase("https://a.example.net", "a.example.net", false, 443, "93.184.215.14", "NotListed")]
    [TestCase("https://a.example.net", "a.example.net", true, 444, "93.184.215.14", "NotListed")]
    [TestCase("https://a.example.net", "b.example.net", true, 443, "93.184.215.14", "NotListed")]
    [TestCase("https://a.example.net", "a b", true, 443, "93.184.215.14", "ForbiddenCharacter")]
    [TestCase("https://a.local", "a.local", true, 443, "10.0.0.1", null)]
    [TestCase("https://a.local", "a.local", true, 443, "127.0.0.1", null)]
    [TestCase("https://a.local", "a.local", true, 443, "169.254.1.1", "AnswerNotPublic")]
    [TestCase("http://localhost", "localhost", false, 80, "127.0.0.1 ::1", null)]
    [TestCase("http://localhost", "localhost", false, 80, "127.0.0.1 93.184.215.14", "AnswerNotLoopback")]
    [TestCase("http://[::1]", "::1", false, 80, "::1", null)]
    [TestCase("http://[::1]", "[::1]", false, 80, "::1", null)]
    [TestCase("http://127.0.0.1", "127.0.0.1", false, 80, "", null)]
    [TestCase("http://127.0.0.1", "127.0.0.1", false, 80, "127.0.0.2", "AnswerNotPublic")]
    public void CheckConnection_Answers_AreJudgedWithTheOrigin(string entry, string host, bool tls, int port, string answers, string? reason)
    {
        IPAddress[] addresses = [.. answers.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse)];
        UrlVerdict verdict = UrlAllowlist.Create([entry]).CheckConnection(tls, host, port, addresses);
        Assert.That(verdict.IsAllowed ? null : verdict.Denial.ToString(), Is.EqualTo(reason));
    }

    [Test]
    public void CheckConnection_SeveralEntries_OneThatPermitsIsEnough()
    {
        UrlAllowlist mixed = UrlAllowlist.Create(["https://a.example.net/v1"], allowPrivate: true);
        Assert.That(mixed.CheckConnection(true, "a.example.net", 443, [IPAddress.Parse("10.0.0.1")]).IsAllowed, Is.True);
        Assert.That(mixed.CheckConnection(true, "a.example.net", 443, [IPAddress.Parse("169.254.169.254")]).Denial, Is.EqualTo(UrlDenial.AnswerNotPublic));
        Assert.That(mixed.CheckAnswers("https://a.example.net/v1", [IPAddress.Parse("127.0.0.1")]).IsAllowed, Is.True);
        Assert.That(mixed.CheckAnswers("https://a.example.net/v2", [IPAddress.Parse("10.0.0.1")]).Denial, Is.EqualTo(UrlDenial.PathNotListed));
        Assert.That(mixed.CheckAnswers("nothing", [IPAddress.Parse("10.0.0.1")]).Denial, Is.EqualTo(UrlDenial.NoScheme));
    }

    [TestCase("/v2", "https://a.example.net/v2", "PathNotListed")]
    [TestCase("https://b.example.net/v1", "https://b.example.net/v1", "NotListed")]
    [TestCase("", "", "BadRedirect")]
    [TestCase("\\evil", "", "BadRedirect")]
    public void CheckRedirect_Denied_SaysWhy(string location, string target, string reason)
    {
        UrlVerdict verdict = UrlAllowlist.Create(["https://a.example.net/v1"]).CheckRedirect("https://a.example.net/v1", location, out string found);
        Assert.That((verdict.IsAllowed, verdict.Denial.ToString(), found), Is.EqualTo((false, reason, target)));
    }

    [TestCase("/v1/a/./", "", true)]
    [TestCase("/.v1/", "", true)]
    [TestCase("/v1/", "/../../v2", false)]
    public void Check_LongPathWithDots_IsJudgedWithoutThem(string start, string end, bool expected)
    {
        UrlAllowlist allowlist = UrlAllowlist.Create(["https://a.example.net/v1", "https://a.example.net/.v1"]);
        foreach (int length in (int[])[510, 511, 512, 513, 514, 2_000])
        {
            string path = start + new string('x', length - start.Length - end.Length) + end;
            Assert.That(allowlist.Check("https://a.example.net" + path).IsAllowed, Is.EqualTo(expected), $"{length}");
        }
    }

    [TestCase("localhost", true)]
    [TestCase("a.localhost", true)]
    [TestCase("alocalhost", false)]
    [TestCase("localhost.example.net", false)]
    public void IsLocalhost_Name_IsByWholeLabels(string host, bool expected) => Assert.That(UrlAllowlist.IsLocalhost(host), Is.EqualTo(expected));

    [Test]
    public void Describe_EveryDenial_HasWordsOfItsOwn() => Assert.Multiple(() =>
    {
        foreach (string[] texts in (string[][])[[.. Enum.GetValues<UrlDenial>().Select(UrlDenials.Describe)], [.. Enum.GetValues<CommandDenial>().Select(CommandDenials.Describe)]])
        {
            Assert.That(texts, Is.Unique);
            Assert.That(texts, Is.All.Length.GreaterThan(10));
            Assert.That(texts, Has.None.Contain("Stryker"));
        }

        Assert.That(UrlDenials.Describe((UrlDenial)999), Is.EqualTo("the URL was not judged"));
        Assert.That(CommandDenials.Describe((CommandDenial)999), Is.EqualTo("the command was not judged"));
    });

    [Test]
    public void In_FailureOfHttp_FindsTheRefusalInside()
    {
        var refused = new UrlRefusedException(UrlVerdict.Deny(UrlDenial.NotListed));
        Assert.That(refused.Message, Is.EqualTo("url-not-allowed: no entry of the allowlist names this scheme, host and port"));
        Assert.That(UrlRefusedException.In(new HttpRequestException("x", new IOException("y", refused))), Is.SameAs(refused));
        Assert.That(UrlRefusedException.In(refused), Is.SameAs(refused));
        Assert.That(UrlRefusedException.In(new IOException("y")), Is.Null);
    }

    [Test]
    public void FindDenied_NameThatSaysUrl_IsJudgedWhateverItHolds() => Assert.Multiple(() =>
    {
        foreach (string name in (string[])["url", "urls", "uri", "uris", "href", "link", "links", "endpoint", "endpoints", "webhook", "baseUrl", "call_back_URI"])
        {
            Assert.That(Denied(name, "evil"), Is.EqualTo("/" + name), name);
        }

        foreach (string name in (string[])["urlx", "uric", "hrefs", "text"])
        {
            Assert.That(Denied(name, "evil"), Is.Null, name);
        }

        Assert.That(Denied("url", ""), Is.Null);
        Assert.That(Denied("url", "FILE:///x"), Is.Null, "left to the roots");
    });

    [TestCase("//evil", true)]
    [TestCase("\\\\evil", true)]
    [TestCase("\\/evil", true)]
    [TestCase("\t\"<'`\uFEFF \u0001https://evil", true)]
    [TestCase("h\nt\rt\tps:evil", true)]
    [TestCase("HTTPS:evil", true)]
    [TestCase("http:evil", true)]
    [TestCase("gopher+x-y.1:/evil", true)]
    [TestCase("file://evil", false)]
    [TestCase("/etc", false)]
    [TestCase(":/x", false)]
    [TestCase("a b:/x", false)]
    [TestCase("key: value", false)]
    [TestCase("mailto:x", false)]
    [TestCase("https", false)]
    [TestCase("", false)]
    [TestCase("abcdefghijklmnopqrstuv:/x", true)]
    [TestCase("abcdefghijklmnopqrstuvwx:/x", false)]
    public void FindDenied_Text_IsJudgedWhereItStartsLikeAUrl(string text, bool judged) => Assert.That(Denied("x", text), Is.EqualTo(judged ? "/x" : null));

    [Test]
    public void FindDenied_SeveralUrls_TheFirstIsNamed()
    {
        using JsonDocument document = JsonDocument.Parse("""{"a":"https://b.example.net","c":"ftp://c.example.net"}""");
        UrlVerdict? verdict = UrlArgumentCheck.FindDenied(document.RootElement, UrlAllowlist.Create(["https://a.example.net"]), [], out string pointer);
        Assert.That((verdict!.Value.Denial, pointer), Is.EqualTo((UrlDenial.NotListed, "/a")));
    }

    [Test]
    public void FindDenied_ArgumentsTooDeep_AreNotAllowed()
    {
        using JsonDocument document = JsonDocument.Parse(new string('[', 200) + new string(']', 200), new JsonDocumentOptions { MaxDepth = 512 });
        UrlVerdict? verdict = UrlArgumentCheck.FindDenied(document.RootElement, UrlAllowlist.Create(["https://*"]), [], out string pointer);
        Assert.That((verdict!.Value.IsAllowed, verdict.Value.Denial, pointer), Is.EqualTo((false, UrlDenial.NotJudged, string.Empty)));
    }

    private static string? Denied(string name, string text)
    {
        using JsonDocument document = JsonDocument.Parse($"{{\"{name}\":{JsonSerializer.Serialize(text, Properties.StringInfo)},\"ok\":[1,\"https://a.example.net\"]}}");
        return UrlArgumentCheck.FindDenied(document.RootElement, UrlAllowlist.Create(["https://a.example.net"]), [], out string pointer) is null ? null : pointer;
    }

    private static string? Denied(string url)
    {
        Span<char> buffer = stackalloc char[UrlParser.MaxHostLength];
        return UrlParser.TryParse(url, buffer, out _, out UrlDenial denial) ? null : denial.ToString();
    }
}
