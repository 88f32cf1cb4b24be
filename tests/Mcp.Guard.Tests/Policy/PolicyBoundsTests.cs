using System.Text;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>
/// The longest text and list of every key, and the first that is too long: with the reader's own error, which names place and fix, and not only the schema's.
/// Numbers, sizes and durations are in <see cref="PolicySchemaTests"/>.
/// </summary>
[TestFixture]
internal sealed class PolicyBoundsTests
{
    private const string Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// <summary>Per case: the longest that is taken, the document with one of that length, where the error stands, and what it says of the next.</summary>
    public static IEnumerable<TestCaseData> Bounds()
    {
        // Texts
        yield return Case("document-description", 4_096, n => $"{{\"description\":\"{X(n)}\"}}", "/description", "characters", "At most 4096");
        yield return Case("schema", 4_096, n => $"{{\"$schema\":\"{X(n)}\"}}", "/$schema", "characters", "At most 4096");
        yield return Case("server-description", 4_096, n => Server($"\"description\":\"{X(n)}\""), "/servers/s/description", "characters", "At most 4096");
        yield return Case("rule-description", 4_096, n => Rule($"\"description\":\"{X(n)}\""), "/servers/s/rules/r/description", "characters", "At most 4096");
        yield return Case("url", 4_096, n => Doc($"\"url\":\"https://a.example/{X(n - 18)}\""), "/servers/s/url", "characters", "At most 4096");
        yield return Case("command", 4_096, n => Command("", X(n)), "/servers/s/command", "characters", "At most 4096");
        yield return Case("root", 4_096, n => Server($"\"roots\":[\"/{X(n - 1)}\"]"), "/servers/s/roots/0", "characters", "At most 4096");
        yield return Case("state-directory", 4_096, n => $"{{\"stateDirectory\":\"/{X(n - 1)}\"}}", "/stateDirectory", "characters", "At most 4096");
        yield return Case("server-id", 64, n => $"{{\"servers\":{{\"{X(n)}\":{{\"hostProvided\":true}}}}}}", n => "/servers/" + X(n), "is no server id", "1 to 64 letters");
        yield return Case("rule-id", 128, n => Server($"\"rules\":{{\"{X(n)}\":{{\"tools\":[\"a\"],\"effect\":\"deny\"}}}}"), n => "/servers/s/rules/" + X(n), "is no rule id", "1 to 128 letters");
        yield return Case("secret", 128, n => Command($"\"environment\":{{\"A\":{{\"secret\":\"{X(n)}\"}}}}"), "/servers/s/environment/A/secret", "characters", "At most 128");
        yield return Case("variable", 256, n => Command($"\"environment\":{{\"{X(n)}\":\"1\"}}"), n => "/servers/s/environment/" + X(n), "is no name of a variable", "1 to 256 characters");
        yield return Case("pinned-tool", 512, n => Server($"\"pins\":{{\"{X(n)}\":\"{Hex}\"}}"), n => "/servers/s/pins/" + X(n), "is no tool name", "exact name");
        yield return Case("package-name", 214, n => Doc($"\"package\":{{\"npm\":\"{X(n)}\",\"version\":\"1.0.0\"}}"), "/servers/s/package/npm", "characters", "At most 214");
        yield return Case("package-version", 256, n => Doc($"\"package\":{{\"npm\":\"a\",\"version\":\"1.0.0-{X(n - 6)}\"}}"), "/servers/s/package/version", "characters", "At most 256");
        yield return Case("package-executable", 214, n => Doc($"\"package\":{{\"npm\":\"a\",\"version\":\"1.0.0\",\"executable\":\"{X(n)}\"}}"), "/servers/s/package/executable", "characters", "At most 214");
        yield return Case("argument-package", 214, n => Command($"\"arguments\":[{{\"package\":\"{X(n)}\",\"version\":\"1.0.0\"}}]"), "/servers/s/arguments/0/package", "characters", "At most 214");
        yield return Case("argument-version", 256, n => Command($"\"arguments\":[{{\"package\":\"a\",\"version\":\"1.0.0-{X(n - 6)}\"}}]"), "/servers/s/arguments/0/version", "characters", "At most 256");
        yield return Case("version-number", 10, n => Doc($"\"package\":{{\"npm\":\"a\",\"version\":\"1.0.{new string('1', n)}\"}}"), "/servers/s/package/version", "is no exact version", "one version");
        yield return Case("image", 512, n => Container($"{X(n - 72)}@sha256:{Hex}"), "/servers/s/isolation/image", "characters", "At most 512");
        yield return Case("tool-pattern", 512, n => Rule("", tools: $"\"{X(n)}\""), "/servers/s/rules/r/tools/0", "characters", "At most 512");
        yield return Case("resource-pattern", 4_096, n => Server($"\"rules\":{{\"r\":{{\"resources\":[\"{X(n)}\"],\"effect\":\"deny\"}}}}"), "/servers/s/rules/r/resources/0", "characters", "At most 4096");
        yield return Case("prompt-pattern", 512, n => Server($"\"rules\":{{\"r\":{{\"prompts\":[\"{X(n)}\"],\"effect\":\"deny\"}}}}"), "/servers/s/rules/r/prompts/0", "characters", "At most 512");
        yield return Case("stars", 16, n => Rule("", tools: $"\"{string.Concat(Enumerable.Repeat("*a", n))}\""), "/servers/s/rules/r/tools/0", "more than 16 '*'", "stands for any text");
        yield return Case("pointer", 4_096, n => Rule($"\"paths\":[\"/{X(n - 1)}\"]"), "/servers/s/rules/r/paths/0", "characters", "At most 4096");
        yield return Case("url-pattern", 4_096, n => Rule($"\"urls\":[\"https://a.example/{X(n - 18)}\"]"), "/servers/s/rules/r/urls/0", "characters", "At most 4096");
        yield return Case("host", 255, n => Server($"\"results\":{{\"allowedHosts\":[\"{X(n)}\"]}}"), "/servers/s/results/allowedHosts/0", "characters", "At most 255");
        yield return Case("meta", 256, n => Server($"\"meta\":{{\"toServer\":[\"{X(n)}\"]}}"), "/servers/s/meta/toServer/0", "characters", "At most 256");
        yield return Case("meta-back", 256, n => Server($"\"meta\":{{\"fromServer\":[\"{X(n)}\"]}}"), "/servers/s/meta/fromServer/0", "characters", "At most 256");

        // Lists
        yield return Case("roots", 1_000, n => Server($"\"roots\":[{Many(n, i => $"\"/srv/{i}\"")}]"), "/servers/s/roots", "1001 elements", "0 to 1000");
        yield return Case("arguments", 1_000, n => Command($"\"arguments\":[{Many(n, _ => "\"a\"")}]"), "/servers/s/arguments", "1001 elements", "0 to 1000");
        yield return Case("readable", 1_000, n => Bubblewrap($"\"readable\":[{Many(n, i => $"\"/srv/{i}\"")}]"), "/servers/s/isolation/readable", "1001 elements", "0 to 1000");
        yield return Case("writable", 1_000, n => Bubblewrap($"\"writable\":[{Many(n, i => $"\"/srv/{i}\"")}]"), "/servers/s/isolation/writable", "1001 elements", "0 to 1000");
        yield return Case("tools", 10_000, n => Rule("", tools: Many(n, i => $"\"t{i}\"")), "/servers/s/rules/r/tools", "10001 elements", "1 to 10000");
        yield return Case("paths", 1_000, n => Rule($"\"paths\":[{Many(n, i => $"\"/{i}\"")}]"), "/servers/s/rules/r/paths", "1001 elements", "At most 1000");
        yield return Case("path-arguments", 1_000, n => Rule($"\"paths\":{{\"arguments\":[{Many(n, i => $"\"/{i}\"")}]}}"), "/servers/s/rules/r/paths/arguments", "1001 elements", "At most 1000");
        yield return Case("urls", 1_000, n => Rule($"\"urls\":[{Many(n, i => $"\"https://a{i}.example\"")}]"), "/servers/s/rules/r/urls", "1001 elements", "At most 1000");
        yield return Case("hosts", 1_000, n => Server($"\"results\":{{\"allowedHosts\":[{Many(n, i => $"\"a{i}.example\"")}]}}"), "/servers/s/results/allowedHosts", "1001 elements", "0 to 1000");
        yield return Case("meta-names", 100, n => Server($"\"meta\":{{\"toServer\":[{Many(n, i => $"\"m{i}\"")}]}}"), "/servers/s/meta/toServer", "101 elements", "0 to 100");
        yield return Case("meta-names-back", 100, n => Server($"\"meta\":{{\"fromServer\":[{Many(n, i => $"\"m{i}\"")}]}}"), "/servers/s/meta/fromServer", "101 elements", "0 to 100");
        yield return Case("servers", 1_000, n => $"{{\"servers\":{{{Many(n, i => $"\"s{i}\":{{\"hostProvided\":true}}")}}}}}", "/servers", "1001 servers", "At most 1000");
        yield return Case("pins", 100_000, n => Server($"\"pins\":{{{Many(n, i => $"\"t{i}\":\"{Hex}\"")}}}"), "/servers/s/pins", "100001 pins", "At most 100000");

        // Notations
        yield return Case("wait", 1, n => $"{{\"defaults\":{{\"toolTimeout\":\"{n}d\"}}}}", "/defaults/toolTimeout", "'2d' is not permitted here", "from \"1ms\" to \"1d\"");
        yield return Case("rate", 1_000_000, n => $"{{\"defaults\":{{\"rateLimit\":{{\"permits\":{n},\"per\":\"1s\"}}}}}}", "/defaults/rateLimit", "more than 1,000,000 permits a second", "lengthen");
    }

    [TestCaseSource(nameof(Bounds))]
    public void Read_LongestAndOneMore_OnlyTheLongestIsTaken(int longest, Func<int, string> document, Func<int, string> pointer, string message, string fix)
    {
        Assert.That(() => PolicyTexts.Read(document(longest)), Throws.Nothing);
        GuardPolicyError[] errors = PolicyTexts.Errors(document(longest + 1));
        Assert.Multiple(() =>
        {
            Assert.That(errors[0].Message, Does.Contain(message));
            Assert.That(errors[0].Location, Is.EqualTo(pointer(longest + 1)));
            Assert.That(errors[0].Fix, Does.Contain(fix));
            Assert.That(errors.Select(error => error.Message), Has.None.StartsWith(PublishedPolicySchema.Refusal));
        });
    }

    [Test]
    public void Read_MoreRulesThanTheBound_IsAnErrorWithoutReadingThem()
    {
        GuardPolicyError error = PolicyTexts.Errors(Server($"\"rules\":{{{Many(100_001, i => $"\"r{i}\":1")}}}")).Single();
        Assert.That((error.Location, error.Message, error.Fix), Is.EqualTo(("/servers/s/rules", "there are 100001 rules", "At most 100000 are permitted for one server")));
    }

    [Test]
    public void Read_ScopesAndTypesAndControls_AreBoundedByTheirWords() => Assert.Multiple(() =>
    {
        Assert.That(PolicyTexts.Read("""{"defaults":{"rateLimit":{"permits":1,"per":"1s","by":["caller","session","server","tool"]}}}""").Defaults.RateLimit.By, Is.EqualTo((RateLimitScope)15));
        Assert.That(First("""{"defaults":{"rateLimit":{"permits":1,"per":"1s","by":["caller","session","server","tool","tool"]}}}"""), Is.EqualTo("/defaults/rateLimit/by: this list has 5 elements. Write 0 to 4, or remove the key."));
        Assert.That(First(Server($"\"results\":{{\"mediaTypes\":[{Many(101, i => $"\"a{i}\"")}]}}")), Is.EqualTo("/servers/s/results/mediaTypes: this list has 101 elements. Write 0 to 100, or remove the key."));
        Assert.That(First(Server($"\"results\":{{\"mediaTypes\":[\"{X(101)}\"]}}")), Is.EqualTo("/servers/s/results/mediaTypes/0: this has 101 characters. At most 100 are permitted."));
        Assert.That(First(Bubblewrap($"\"required\":[{Many(33, _ => "\"network\"")}]")), Is.EqualTo("/servers/s/isolation/required: this list has 33 elements. Write 0 to 32, or remove the key."));
    });

    [TestCase("a", true)]
    [TestCase("Z9._-", true)]
    [TestCase("9", true)]
    [TestCase(".a", false)]
    [TestCase("_a", false)]
    [TestCase("a/b", false)]
    [TestCase("ä", false)]
    public void Read_ServerId_IsAnId(string id, bool accepted) =>
        Assert.That(() => PolicyTexts.Read($"{{\"servers\":{{\"{id}\":{{\"hostProvided\":true}}}}}}"), accepted ? Throws.Nothing : Throws.InstanceOf<McpGuardPolicyException>());

    [TestCase("@a/b", true)]
    [TestCase("@ab/b", true)]
    [TestCase("a.b-c_d~e", true)]
    [TestCase("@a/", false)]
    [TestCase("@/b", false)]
    [TestCase("@a/.b", false)]
    [TestCase("@.a/b", false)]
    [TestCase("@a/b/c", false)]
    [TestCase(".a", false)]
    [TestCase("_a", false)]
    [TestCase("~a", false)]
    public void Read_NpmName_IsBare(string name, bool accepted)
    {
        string document = Doc($"\"package\":{{\"npm\":\"{name}\",\"version\":\"1.0.0\"}}");
        string argument = Command($"\"arguments\":[{{\"package\":\"{name}\",\"version\":\"1.0.0\"}}]");
        if (accepted)
        {
            Assert.That(((PackageEndpoint)PolicyTexts.Read(document).Servers["s"].Endpoint).Name, Is.EqualTo(name));
            Assert.That(((CommandEndpoint)PolicyTexts.Read(argument).Servers["s"].Endpoint).Arguments, Is.EqualTo(new[] { name + "@1.0.0" }));
            return;
        }

        Assert.That(First(document), Does.StartWith("/servers/s/package/npm: ").And.Contain("is no package name"));
        Assert.That(First(argument), Does.StartWith("/servers/s/arguments/0/package: ").And.EndsWith("is no package name. Write the bare name."));
    }

    [Test]
    public void Read_DotnetName_HasNoScope() =>
        Assert.That(First(Doc("\"package\":{\"dotnet\":\"@a/b\",\"version\":\"1.0.0\"}")), Is.EqualTo("/servers/s/package/dotnet: '@a/b' is no package name. Write the bare name; the version has a key of its own."));

    [TestCase("1.2.3", true)]
    [TestCase("1.2.3.4", true)]
    [TestCase("1.2.3-a", true)]
    [TestCase("1.2.3+b", true)]
    [TestCase("1.2.3-a+b", true)]
    [TestCase("1.2.3.4.5", false)]
    [TestCase("1.2.3+", false)]
    [TestCase("1..3", false)]
    [TestCase("-1.2.3", false)]
    [TestCase("1.2.a", false)]
    [TestCase("1.2.3_4", false)]
    public void Read_Version_IsExact(string version, bool accepted)
    {
        string document = Doc($"\"package\":{{\"npm\":\"a\",\"version\":\"{version}\"}}");
        if (accepted)
        {
            Assert.That(((PackageEndpoint)PolicyTexts.Read(document).Servers["s"].Endpoint).Version, Is.EqualTo(version));
        }
        else
        {
            Assert.That(First(document), Is.EqualTo($"/servers/s/package/version: '{version}' is no exact version. Write one version, as in \"1.2.3\", no range and no tag."));
        }
    }

    [TestCase("a@sha256:" + Hex, true)]
    [TestCase("a.example:5000/b:tag@sha256:" + Hex, true)]
    [TestCase("@sha256:" + Hex, false)]
    [TestCase("-a@sha256:" + Hex, false)]
    [TestCase("a b@sha256:" + Hex, false)]
    [TestCase("a@sha256:" + Hex + "0", false)]
    [TestCase("a@sha256:A123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false)]
    public void Read_Image_NamesADigest(string image, bool accepted)
    {
        if (accepted)
        {
            Assert.That(PolicyTexts.Read(Container(image)).Servers["s"].Isolation!.Image, Is.EqualTo(image));
        }
        else
        {
            Assert.That(First(Container(image)), Does.StartWith("/servers/s/isolation/image: ").And.Contain("names no digest. Write the image with its digest"));
        }
    }

    [TestCase("a.example", true)]
    [TestCase("*.a.example", true)]
    [TestCase("a-b_c.example", true)]
    [TestCase("*.", false)]
    [TestCase("*", false)]
    [TestCase("A.example", false)]
    [TestCase(".a", false)]
    [TestCase("a.", false)]
    [TestCase("-a", false)]
    [TestCase("a-", false)]
    [TestCase("a..b", false)]
    [TestCase("*.*.a", false)]
    public void Read_AllowedHost_IsAName(string host, bool accepted)
    {
        string document = Server($"\"results\":{{\"allowedHosts\":[\"{host}\"]}}");
        if (accepted)
        {
            Assert.That(PolicyTexts.Read(document).Servers["s"].Limits.Results.AllowedHosts, Is.EquivalentTo(new[] { host }));
        }
        else
        {
            Assert.That(First(document), Does.StartWith($"/servers/s/results/allowedHosts/0: '{host}' is no host. Write a lower-case host name"));
        }
    }

    [TestCase("https://*", true)]
    [TestCase("https://*:8443", true)]
    [TestCase("http://*.a.example/v1?x", true)]
    [TestCase("https://*a.example", false, "'*' stands only for")]
    [TestCase("https://*.a.*", false, "'*' stands only for")]
    [TestCase("https://a.example/?q=*", false, "'*' stands only for")]
    [TestCase("HTTPS://a.example", false, "it does not start with https:// or http://")]
    [TestCase("://a.example", false, "it does not start with https:// or http://")]
    [TestCase("https://u@a.example", false, "it holds user information")]
    [TestCase("https://a.example/#x", false, "it holds a fragment")]
    [TestCase("https://a.example/\\u00a0", false, "it holds a blank")]
    [TestCase("https://log\\ufeffin.example/", false, "it holds a blank")]
    [TestCase("https://log\\u200bin.example/", false, "it holds a blank")]
    [TestCase("https://log\\udb40\\udc61in.example/", false, "it holds a blank")]
    [TestCase("https://a.example/\\\\x", false, "it holds a blank")]
    [TestCase("https:///x", false, "it is no URL")]
    public void Read_UrlPattern_SaysWhatIsWrong(string pattern, bool accepted, string fault = "")
    {
        string document = Rule($"\"urls\":[\"{pattern}\"]");
        if (accepted)
        {
            Assert.That(PolicyTexts.Read(document).Servers["s"].ForTool("a").Judge(PolicyTexts.NoArguments).Urls!.Lists.Single().Patterns, Is.EqualTo(new[] { pattern }));
        }
        else
        {
            Assert.That(First(document), Does.StartWith("/servers/s/rules/r/urls/0: ").And.Contain(" is no URL pattern: " + fault).And.EndWith("Write scheme, host and optional path, as in \"https://*.example.com/v1\"."));
        }
    }

    [Test]
    public void Read_UrlPattern_IsJudgedByTheAdmissionToo()
    {
        PolicyReadOptions options = PolicyTexts.Options with { UrlPatternFault = pattern => pattern.Contains("bad", StringComparison.Ordinal) ? "scripted" : null };
        Assert.That(PolicyTexts.Errors(Rule("\"urls\":[\"https://bad.example\"]"), options: options).Single().Message, Is.EqualTo("'https://bad.example' is no URL pattern: scripted"));
        Assert.That(() => PolicyTexts.Read(Rule("\"urls\":[\"https://good.example\"]"), options: options), Throws.Nothing);
    }

    [TestCase("/a", true)]
    [TestCase("/", true)]
    [TestCase("/~0~1/*", true)]
    [TestCase("/a~", false)]
    [TestCase("/~~", false)]
    [TestCase("a/", false)]
    public void Read_Pointer_IsOne(string pointer, bool accepted) => Assert.Multiple(() =>
    {
        foreach (string document in (string[])[Rule($"\"paths\":[\"{pointer}\"]"), Rule($"\"paths\":{{\"content\":[\"{pointer}\"]}}"), Rule($"\"urls\":{{\"allow\":[],\"arguments\":[\"{pointer}\"]}}")])
        {
            Assert.That(() => PolicyTexts.Read(document), accepted ? Throws.Nothing : Throws.InstanceOf<McpGuardPolicyException>().With.Message.Contains("is no JSON Pointer").And.Message.Contains("Start with '/'"));
        }
    });

    // Which ends of a document are read: exactly the bound, and not a byte, value or level more.
    [Test]
    public void Read_ExactlyTheBounds_IsTaken()
    {
        byte[] bytes = [.. "{}"u8, .. Enumerable.Repeat((byte)' ', PolicyParser.MaxBytes - 2)];
        Assert.That(() => PolicyReader.Read(bytes, null, FakeSchemas.Instance, PolicyTexts.Options), Throws.Nothing);

        var problems = new PolicyProblems(ReadOnlyMemory<byte>.Empty, null, hasText: false);
        Assert.That(PolicyParser.Parse(Encoding.UTF8.GetBytes("[" + Many(PolicyParser.MaxValues - 1, _ => "0") + "]"), problems)!.Items, Has.Count.EqualTo(PolicyParser.MaxValues - 1));
        Assert.That(PolicyParser.Parse(Encoding.UTF8.GetBytes(new string('[', PolicyParser.MaxDepth) + new string(']', PolicyParser.MaxDepth)), problems), Is.Not.Null);
        Assert.That(problems.HasErrors, Is.False);
        Assert.That(PolicyParser.Parse(Encoding.UTF8.GetBytes("[" + Many(PolicyParser.MaxValues, _ => "0") + "]"), problems), Is.Null);
        Assert.That(problems.HasErrors, Is.True);
    }

    private static string First(string json)
    {
        string text = PolicyTexts.Errors(json)[0].ToString();
        return text[(text.IndexOf(": ", StringComparison.Ordinal) + 2)..];
    }

    private static TestCaseData Case(string name, int longest, Func<int, string> document, string pointer, string message, string fix) =>
        Case(name, longest, document, _ => pointer, message, fix);

    private static TestCaseData Case(string name, int longest, Func<int, string> document, Func<int, string> pointer, string message, string fix) =>
        new TestCaseData(longest, document, pointer, message, fix).SetArgDisplayNames(name);

    private static string X(int length) => new('x', length);

    private static string Many(int count, Func<int, string> element) => string.Join(',', Enumerable.Range(0, count).Select(element));

    private static string Doc(string server) => "{\"servers\":{\"s\":{" + server + "}}}";

    private static string Server(string members) => PolicyTexts.Server(members);

    private static string Command(string members, string command = "node") => Doc($"\"command\":\"{command}\"" + (members.Length > 0 ? "," : "") + members);

    private static string Bubblewrap(string members) => Command("\"isolation\":{\"mode\":\"bubblewrap\"," + members + "}");

    private static string Container(string image) => Command($"\"isolation\":{{\"mode\":\"container\",\"image\":\"{image}\"}}");

    private static string Rule(string members, string tools = "\"a\"") =>
        Server("\"rules\":{\"r\":{\"tools\":[" + tools + "],\"effect\":\"allow\"" + (members.Length > 0 ? "," : "") + members + "}}");
}
