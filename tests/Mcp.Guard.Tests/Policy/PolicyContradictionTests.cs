using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>Keys that have no meaning where they stand, that contradict each other, or that miss a part: each by name, with the fix, and the nearest document that is right.</summary>
[TestFixture]
internal sealed class PolicyContradictionTests
{
    private const string Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [TestCase("allowPrivate", "true", "url")]
    [TestCase("useEnvironmentProxy", "true", "url")]
    [TestCase("headers", "{\"X\":\"1\"}", "url")]
    [TestCase("authorizationUrls", "[\"https://l.example\"]", "url")]
    [TestCase("transport", "\"sse\"", "url or hostProvided")]
    [TestCase("arguments", "[\"a\"]", "command or package")]
    [TestCase("environment", "{\"A\":\"1\"}", "command or package")]
    [TestCase("isolation", "{\"mode\":\"bubblewrap\"}", "command or package")]
    [TestCase("sha256", "\"" + Hex + "\"", "command")]
    public void Read_KeyOfAnotherWay_BelongsToItsOwnOnly(string key, string value, string owners) => Assert.Multiple(() =>
    {
        foreach ((string way, string said) in ((string, string)[])
            [("url", "\"https://a.example\""), ("command", "\"node\""), ("package", "{\"npm\":\"a\",\"version\":\"1.0.0\"}"), ("hostProvided", "true")])
        {
            string json = $"{{\"servers\":{{\"s\":{{\"{way}\":{said},\"{key}\":{value}}}}}}}";
            if (owners.Split(" or ").Contains(way))
            {
                Assert.That(() => PolicyTexts.Read(json), Throws.Nothing, json);
            }
            else
            {
                Assert.That(First(json), Is.EqualTo($"/servers/s/{key}: \"{key}\" has no meaning for a server with \"{way}\". Remove it; it belongs to {owners}."));
            }
        }
    });

    [TestCase("require", "true")]
    [TestCase("destructive", "true")]
    [TestCase("rateLimit", "{\"permits\":1,\"per\":\"1s\"}")]
    [TestCase("timeout", "\"1s\"")]
    [TestCase("timeoutWithProgress", "\"2s\"")]
    [TestCase("paths", "[\"/a\"]")]
    [TestCase("urls", "[\"https://a.example\"]")]
    [TestCase("results", "{\"redact\":true}")]
    public void Read_RuleThatDenies_HasNoFurtherWord(string key, string value)
    {
        string timeout = key == "timeoutWithProgress" ? "\"timeout\":\"1s\"," : string.Empty;
        Assert.That(All(Rule($"\"tools\":[\"a\"],\"effect\":\"deny\",{timeout}\"{key}\":{value}")), Has.Some.EqualTo(
            $"/servers/s/rules/r/{key}: \"{key}\" has no meaning in a rule that denies. Remove it, or put it into a rule that asks or allows."));
        Assert.That(() => PolicyTexts.Read(Rule($"\"tools\":[\"a\"],\"effect\":\"ask\",{timeout}\"{key}\":{value}")), Throws.Nothing);
    }

    [Test]
    public void Read_RuleThatDenies_MayHaveACondition() => Assert.That(() => PolicyTexts.Read(Rule("\"tools\":[\"a\"],\"effect\":\"deny\",\"when\":true")), Throws.Nothing);

    [TestCase("when")]
    [TestCase("require")]
    public void Read_ConditionOnResources_HasNothingToJudge(string key) => Assert.Multiple(() =>
    {
        Assert.That(First(Rule($"\"tools\":[\"a\"],\"resources\":[\"b\"],\"effect\":\"ask\",\"{key}\":true")), Is.EqualTo(
            $"/servers/s/rules/r/{key}: \"{key}\" judges arguments, and resources have none. Put tools and resources into rules of their own."));
        Assert.That(() => PolicyTexts.Read(Rule($"\"tools\":[\"a\"],\"prompts\":[\"b\"],\"effect\":\"ask\",\"{key}\":true")), Throws.Nothing);
    });

    [TestCase("destructive", "true")]
    [TestCase("paths", "[\"/a\"]")]
    [TestCase("urls", "[\"https://a.example\"]")]
    public void Read_WordAboutTools_NeedsTools(string key, string value) =>
        Assert.That(First(Rule($"\"prompts\":[\"a\"],\"effect\":\"ask\",\"{key}\":{value}")), Is.EqualTo(
            $"/servers/s/rules/r/{key}: \"{key}\" is about tools, and this rule selects none. Remove it, or add \"tools\"."));

    [TestCase("readable", "[]")]
    [TestCase("writable", "[]")]
    [TestCase("network", "true")]
    [TestCase("preset", "\"node\"")]
    [TestCase("memory", "\"1GiB\"")]
    [TestCase("cpus", "1")]
    [TestCase("processes", "10")]
    [TestCase("openFiles", "100")]
    [TestCase("fileSize", "1")]
    [TestCase("temp", "1")]
    [TestCase("user", "\"1000\"")]
    [TestCase("required", "[]")]
    public void Read_LimitWithoutIsolation_IsRefused(string key, string value) => Assert.Multiple(() =>
    {
        Assert.That(First(Isolation($"\"mode\":\"none\",\"{key}\":{value}")), Is.EqualTo(
            $"/servers/s/isolation/{key}: \"{key}\" has no effect without isolation. Remove it, or use \"bubblewrap\" or \"container\"."));
        Assert.That(() => PolicyTexts.Read(Isolation($"\"mode\":\"bubblewrap\",\"{key}\":{value}")), Throws.Nothing);
        Assert.That(() => PolicyTexts.Read(Isolation($"\"mode\":\"container\",\"image\":\"a@sha256:{Hex}\",\"{key}\":{value}")), Throws.Nothing);
    });

    [TestCase("environment", "{\"A\":\"1\"}")]
    [TestCase("workingDirectory", "\"/srv\"")]
    public void Read_SettingThatNeedsNoIsolation_IsTaken(string key, string value) =>
        Assert.That(() => PolicyTexts.Read(Isolation($"\"mode\":\"none\",\"{key}\":{value}")), Throws.Nothing);

    [TestCase("image", "\"a@sha256:" + Hex + "\"")]
    [TestCase("engine", "\"podman\"")]
    public void Read_SettingOfContainers_NeedsOne(string key, string value) =>
        Assert.That(All(Isolation($"\"mode\":\"bubblewrap\",\"{key}\":{value}")), Is.EqualTo(new[]
        {
            $"/servers/s/isolation/{key}: \"{key}\" is about containers. Remove it, or use \"mode\": \"container\".",
        }));

    [TestCase("{\"defaults\":{\"rateLimit\":{\"per\":\"1s\"}}}", "/defaults/rateLimit: \"permits\" is missing. Add \"permits\".")]
    [TestCase("{\"defaults\":{\"budgets\":{\"repeats\":{\"per\":\"1s\"}}}}", "/defaults/budgets/repeats: \"permits\" is missing. Add \"permits\".")]
    [TestCase("{\"defaults\":{\"budgets\":{\"repeats\":{\"permits\":1}}}}", "/defaults/budgets/repeats: \"per\" is missing. Add \"per\".")]
    [TestCase("{\"audit\":{\"key\":{}}}", "/audit/key: \"secret\" is missing. Add \"secret\".")]
    [TestCase("{\"servers\":{\"s\":{\"hostProvided\":true,\"sampling\":{}}}}", "/servers/s/sampling: \"allow\" is missing. Add \"allow\".")]
    [TestCase("{\"servers\":{\"s\":{\"hostProvided\":true,\"elicitation\":{}}}}", "/servers/s/elicitation: \"allow\" is missing. Add \"allow\".")]
    [TestCase("{\"servers\":{\"s\":{\"hostProvided\":true,\"rules\":{\"r\":{\"tools\":[\"a\"],\"effect\":\"ask\",\"urls\":{}}}}}}", "/servers/s/rules/r/urls: \"allow\" is missing. Add \"allow\".")]
    [TestCase("{\"servers\":{\"s\":{\"command\":\"node\",\"arguments\":[{\"version\":\"1.0.0\"}]}}}", "/servers/s/arguments/0: \"package\" is missing. Add \"package\".")]
    [TestCase("{\"servers\":{\"s\":{\"command\":\"node\",\"arguments\":[{\"package\":\"a\"}]}}}", "/servers/s/arguments/0: \"version\" is missing. Add \"version\".")]
    [TestCase("{\"servers\":{\"s\":{\"command\":\"node\",\"environment\":{\"A\":{}}}}}", "/servers/s/environment/A: \"secret\" is missing. Add \"secret\".")]
    [TestCase("{\"servers\":{\"s\":{\"package\":{\"version\":\"1.0.0\"}}}}", "/servers/s/package: a package comes from exactly one registry. Write \"npm\" or \"dotnet\" with the package's name.")]
    public void Read_MissingPart_IsNamed(string json, string expected) => Assert.That(First(json), Is.EqualTo(expected));

    [TestCase("{\"A\":{\"fromHost\":false}}", "/servers/s/environment/A/fromHost: this can only be true, and only alone. Write { \"fromHost\": true } or { \"secret\": \"name\" }.")]
    [TestCase("{\"A\":{\"fromHost\":true,\"secret\":\"x\"}}", "/servers/s/environment/A/fromHost: this can only be true, and only alone. Write { \"fromHost\": true } or { \"secret\": \"name\" }.")]
    [TestCase("{\"A\":{\"secret\":\".x\"}}", "/servers/s/environment/A/secret: '.x' is no name of a secret. Use 1 to 128 letters, digits, '.', '_' or '-', the first a letter or digit.")]
    [TestCase("{\"A\":[]}", "/servers/s/environment/A: this must be a text or a reference, and is a list. Write a text, or { \"secret\": \"name\" }.")]
    [TestCase("{\"A\":\"x\\u0000\"}", "/servers/s/environment/A: this value holds NUL or a line end. Remove it.")]
    [TestCase("{\"A\":\"x\\ny\"}", "/servers/s/environment/A: this value holds NUL or a line end. Remove it.")]
    [TestCase("{\"A\":\"x\\ry\"}", "/servers/s/environment/A: this value holds NUL or a line end. Remove it.")]
    [TestCase("{\"\":\"x\"}", "/servers/s/environment/: '' is no name of a variable. Use 1 to 256 characters without '='.")]
    [TestCase("{\"A\\u0000\":\"x\"}", "/servers/s/environment/A\0: 'A<U+0000>' is no name of a variable. Use 1 to 256 characters without '='.")]
    [TestCase("{\"A\\u0007\":\"x\"}", "/servers/s/environment/A\a: 'A<U+0007>' is no name of a variable. Use 1 to 256 characters without '='.")]
    public void Read_Variable_SaysWhatIsWrong(string environment, string expected) =>
        Assert.That(First($"{{\"servers\":{{\"s\":{{\"command\":\"node\",\"environment\":{environment}}}}}}}"), Is.EqualTo(expected));

    [Test]
    public void Read_References_AreWhatTheySay()
    {
        var endpoint = (CommandEndpoint)PolicyTexts.Read("""{"servers":{"s":{"command":"node","environment":{"A":"","B":{"secret":"s"},"C":{"fromHost":true}}}}}""").Servers["s"].Endpoint;
        Assert.That(endpoint.Environment["A"], Is.EqualTo(new PolicyValue(string.Empty, null, false)));
        Assert.That(endpoint.Environment["B"], Is.EqualTo(new PolicyValue(null, "s", false)));
        Assert.That(endpoint.Environment["C"], Is.EqualTo(new PolicyValue(null, null, true)));
    }

    [TestCase("{\"a b\":\"1\"}", "/servers/s/headers/a b: 'a b' is no header name. Use the characters of RFC 9110 section 5.1.")]
    [TestCase("{\"\":\"1\"}", "/servers/s/headers/: '' is no header name. Use the characters of RFC 9110 section 5.1.")]
    [TestCase("{\"A\":\"1\",\"a\":\"2\"}", "/servers/s/headers/a: the header 'a' is set twice. Header names compare without case: keep one.")]
    [TestCase("{\"A\":1}", "/servers/s/headers/A: this must be a text or a reference, and is a number. Write a text, or { \"secret\": \"name\" }.")]
    public void Read_Header_SaysWhatIsWrong(string headers, string expected) =>
        Assert.That(First($"{{\"servers\":{{\"s\":{{\"url\":\"https://a.example\",\"headers\":{headers}}}}}}}"), Is.EqualTo(expected));

    [TestCase("\"elicitation\":{\"allow\":true,\"url\":true}", "/servers/s/elicitation/url: \"url\" lets the server show addresses, and none is listed. Add \"urls\" with the patterns of those that it may show, or remove \"url\".")]
    [TestCase("\"elicitation\":{\"allow\":true,\"url\":true,\"urls\":[\"https://a.example\"]}", null)]
    [TestCase("\"elicitation\":{\"allow\":true,\"url\":false}", null)]
    [TestCase("\"results\":{\"mediaTypes\":[\"text/html\"]}", "/servers/s/results/mediaTypes/0: 'text/html' is no type of image or audio that the guard can check. Use one of ")]
    [TestCase("\"results\":{\"mediaTypes\":[\"image/png\"]}", null)]
    [TestCase("\"roots\":[{\"path\":\"/usr\",\"access\":\"read\"},\"/usr/\"]", "/servers/s/roots/1: the root '/usr' is listed twice. Keep one of the two.")]
    [TestCase("\"roots\":[true]", "/servers/s/roots/0: a root is a path or an object, and this is true or false. Write a path, or { \"path\": ..., \"access\": \"read\" }.")]
    [TestCase("\"rules\":{\"r\":{\"tools\":[\"a{b}\"],\"effect\":\"ask\"}}", "/servers/s/rules/r/tools/0: 'a{b}' is no pattern: '?', '[' and '{' are no wildcards here. '*' stands for any text, everything else for itself.")]
    [TestCase("\"rules\":{\"r\":{\"resources\":[\"x:/a?b[c]{d}\"],\"effect\":\"ask\"}}", null)]
    [TestCase("\"rules\":{\"r\":{\"prompts\":[\"a]\"],\"effect\":\"ask\"}}", "/servers/s/rules/r/prompts/0: 'a]' is no pattern: '?', '[' and '{' are no wildcards here. '*' stands for any text, everything else for itself.")]
    [TestCase("\"rules\":{\"r\":{\"tools\":[\"a\"],\"effect\":\"ask\",\"timeout\":\"1m\",\"timeoutWithProgress\":\"1m\"}}", null)]
    [TestCase("\"rules\":{\"r\":{\"tools\":[\"a\"],\"effect\":\"ask\",\"paths\":{\"arguments\":[\"/a\",\"/b\"],\"content\":[\"/b\"]}}}", "/servers/s/rules/r/paths: '/b' is both a path and content. Keep one of the two.")]
    [TestCase("\"pins\":{\"a\":1}", "/servers/s/pins/a: this must be a text, and is a number. Write a text.")]
    [TestCase("\"trusted\":null", "/servers/s/trusted: this must be true or false, and is null. Write true or false.")]
    [TestCase("\"description\":\" \"", "/servers/s/description: this is blank. Write a value, or remove the key.")]
    [TestCase("\"description\":\"\"", "/servers/s/description: this is empty. Write a value, or remove the key.")]
    [TestCase("\"description\":\"a\\u0001\"", "/servers/s/description: this holds a control character. Remove it.")]
    [TestCase("\"results\":{\"maxBytes\":[]}", "/servers/s/results/maxBytes: a list is not permitted here. Write a size from 1 to 67108864 bytes, as in 65536 or \"512MiB\".")]
    [TestCase("\"toolTimeout\":\"x\"", "/servers/s/toolTimeout: 'x' is not permitted here. Write a duration from \"1ms\" to \"1d\": a whole number with ms, s, m, h or d, as in \"30s\".")]
    [TestCase("\"confirmation\":\"alway\"", "/servers/s/confirmation: 'alway' is not known here. Did you mean 'always'? Write one of \"destructive\", \"always\".")]
    [TestCase("\"confirmation\":\"zzzzz\"", "/servers/s/confirmation: 'zzzzz' is not known here. Write one of \"destructive\", \"always\".")]
    [TestCase("\"results\":{\"allowedHosts\":[\"a.example\",\"a.example\"]}", "/servers/s/results/allowedHosts/1: 'a.example' is listed twice. Keep one of the two.")]
    public void Read_Server_SaysWhatIsWrong(string members, string? expected)
    {
        if (expected is null)
        {
            Assert.That(() => PolicyTexts.Read(PolicyTexts.Server(members)), Throws.Nothing);
        }
        else
        {
            Assert.That(First(PolicyTexts.Server(members)), Does.StartWith(expected));
        }
    }

    [TestCase("\"package\":{\"npm\":\"a\",\"version\":\"1.0.0\",\"executable\":\"a/b\"}", "/servers/s/package/executable: 'a/b' is no name of a command. Write the name that the package declares.")]
    [TestCase("\"command\":\"node\",\"arguments\":[{\"package\":\"a/b\",\"version\":\"1.0.0\"}]", "/servers/s/arguments/0/package: 'a/b' is no package name. Write the bare name.")]
    [TestCase("\"command\":\"node\",\"arguments\":[{\"package\":\"a\",\"version\":\"1\"}]", "/servers/s/arguments/0/version: '1' is no exact version. Write one version, as in \"1.2.3\".")]
    [TestCase("\"command\":\"server.bat\"", "/servers/s/command: 'server.bat' is a batch file or the Windows command processor, which parse arguments again (CVE-2024-24576). Name the program itself.")]
    [TestCase("\"command\":\"env\",\"arguments\":[\"LD_PRELOAD=x\",\"s\"]", "/servers/s/command: the command line sets a variable that no server is given. Name the program as the command, and its variables in \"environment\".")]
    [TestCase("\"command\":\"node\",\"arguments\":[\"LD_PRELOAD=x\"]", null)]
    [TestCase("\"command\":\"npx\",\"arguments\":[\"a\"]", "/servers/s/command: npx fetches what it runs when it starts: its first argument has to be name@version with one exact version. Use \"package\" and mcp-guard install, or pin one exact version.")]
    [TestCase("\"command\":\"node\",\"isolation\":{\"mode\":\"bubblewrap\",\"network\":1}", "/servers/s/isolation/network: this is not known here. Write false, true or \"loopback\".")]
    [TestCase("\"command\":\"node\",\"isolation\":{\"mode\":\"container\"}", "/servers/s/isolation: a container needs an image. Add \"image\" with its digest.")]
    [TestCase("\"command\":\"node\",\"isolation\":{\"mode\":\"bubblewrap\",\"user\":\"root\"}", "/servers/s/isolation/user: 'root' is no user. Write numbers, as in \"1000\" or \"1000:1000\".")]
    [TestCase("\"command\":\"node\",\"isolation\":{\"mode\":\"bubblewrap\",\"required\":[\"network\",\"network\"]}", "/servers/s/isolation/required/1: 'network' is listed twice. Keep one of the two.")]
    [TestCase("\"url\":\"https://a.example\",\"authorizationUrls\":[\"https://*.a.example\"]", "/servers/s/authorizationUrls/0: an authorization URL has no '*'. Write each URL exactly.")]
    [TestCase("\"url\":\"https://*.a.example\"", "/servers/s/url: 'https://*.a.example' is no server URL: a server has one exact URL, without '*'. Write the exact URL, as in \"https://mcp.example.com/mcp\".")]
    [TestCase("\"url\":\"https://a.example\",\"package\":{\"npm\":\"a\",\"version\":\"1.0.0\"}", "/servers/s: this server is reached in several ways: url, package. Write exactly one of \"url\", \"command\", \"package\" and \"hostProvided\": true.")]
    [TestCase("\"trusted\":true", "/servers/s: nothing says how this server is reached. Write exactly one of \"url\", \"command\", \"package\" and \"hostProvided\": true.")]
    [TestCase("\"hostProvided\":false", "/servers/s/hostProvided: this can only be true. Write true, or say how else the server is reached.")]
    public void Read_WayToAServer_SaysWhatIsWrong(string members, string? expected)
    {
        string json = "{\"servers\":{\"s\":{" + members + "}}}";
        if (expected is null)
        {
            Assert.That(() => PolicyTexts.Read(json), Throws.Nothing);
        }
        else
        {
            Assert.That(First(json), Is.EqualTo(expected));
        }
    }

    [Test]
    public void Read_SchemaThatCannotBeUsed_SaysWhereAndWhy() => Assert.Multiple(() =>
    {
        Assert.That(First(Rule("\"tools\":[\"a\"],\"effect\":\"ask\",\"when\":1")), Is.EqualTo("/servers/s/rules/r/when: this must be a JSON Schema, and is a number. Write an object, true or false."));
        Assert.That(First(Rule("\"tools\":[\"a\"],\"effect\":\"ask\",\"when\":{\"$fake\":\"crash\"}")), Is.EqualTo(
            "/servers/s/rules/r/when: the schema engine failed on this schema (InvalidOperationException). Simplify the schema, or correct the engine that the host put in."));
        Assert.That(First(Rule("\"tools\":[\"a\"],\"effect\":\"ask\",\"require\":{\"$fake\":\"refuse\",\"at\":\"/x/9\",\"x\":[]}")), Is.EqualTo(
            "/servers/s/rules/r/require/x: the schema is refused (scripted): scripted to be refused. Correct the schema."));
        Assert.That(() => PolicyTexts.Read(Rule("\"tools\":[\"a\"],\"effect\":\"ask\",\"when\":false,\"require\":{}")), Throws.Nothing);
    });

    private static string First(string json) => All(json)[0];

    private static string[] All(string json) => [.. PolicyTexts.Errors(json).Select(error => $"{error.Location}: {error.Message}. {error.Fix}.")];

    private static string Rule(string members) => PolicyTexts.Server("\"rules\":{\"r\":{" + members + "}}");

    private static string Isolation(string members) => "{\"servers\":{\"s\":{\"command\":\"node\",\"isolation\":{" + members + "}}}}";
}
