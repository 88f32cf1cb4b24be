using System.Text;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>Every kind of fault of a document, each with the place that the error must name: the mark » stands before the faulty character.</summary>
[TestFixture]
internal sealed class PolicyErrorTests
{
    private const string S = "\"hostProvided\":true,";

    public static IEnumerable<TestCaseData> Faults()
    {
        // Text
        yield return Case("not-json", "{\"servers\":{»nope}}", "", "not JSON");
        yield return Case("empty", "»", "", "the policy is empty", "{}");
        yield return Case("blank", "» \n\t ", "", "the policy is empty");
        yield return Case("cut", "{\n  \"servers\": {»", "", "not JSON");
        yield return Case("comment-line", "{\n  »// no\n}", "", "comments are not part of JSON", "description");
        yield return Case("comment-block", "{ »/* no */ }", "", "comments are not part of JSON");
        yield return Case("trailing-comma", "{\"servers\":{},\n»}", "", "a comma stands before the end", "Remove the comma");
        yield return Case("trailing-comma-list", Doc(S + "\"roots\":[\"/srv/a\",»]"), "", "a comma stands before the end");
        yield return Case("two-documents", "{}»{}", "", "not JSON");
        yield return Case("duplicate-key", "{\"description\":\"a\",\n »\"description\":\"b\"}", "/description", "'description' appears twice");
        yield return Case("duplicate-key-by-escape", "{\"audit\":{},»\"\\u0061udit\":{}}", "/audit", "'audit' appears twice");
        yield return Case("duplicate-server", "{\"servers\":{\"s\":{\"hostProvided\":true},»\"s\":{\"hostProvided\":true}}}", "/servers/s", "'s' appears twice");
        yield return Case("duplicate-in-schema", Rule("\"when\":{\"type\":\"object\",»\"type\":\"array\"}"), "/servers/s/rules/r/when/type", "appears twice");
        yield return Case("lone-surrogate", "{\"description\":»\"\\ud800\"}", "/description", "surrogate");
        yield return Case("lone-surrogate-name", "{»\"\\udc00\":1}", "", "surrogate");
        yield return Case("too-deep", new string('[', PolicyParser.MaxDepth) + "»[", "", "depth");

        // Types
        yield return Case("root-list", "»[]", "", "must be an object, and is a list");
        yield return Case("root-null", "»null", "", "must be an object, and is null");
        yield return Case("servers-list", "{\"servers\":»[]}", "/servers", "must be an object");
        yield return Case("server-text", "{\"servers\":{\"s\":»\"x\"}}", "/servers/s", "must be an object, and is a text");
        yield return Case("flag-text", Doc(S + "\"trusted\":»\"true\""), "/servers/s/trusted", "must be true or false, and is a text");
        yield return Case("text-number", "{\"description\":»1}", "/description", "must be a text, and is a number");
        yield return Case("number-text", "{\"audit\":{\"retentionDays\":»\"30\"}}", "/audit/retentionDays", "must be a number, and is a text");
        yield return Case("list-text", Doc(S + "\"roots\":»\"/srv/a\""), "/servers/s/roots", "must be a list");
        yield return Case("root-element-number", Doc(S + "\"roots\":[»1]"), "/servers/s/roots/0", "a root is a path or an object");
        yield return Case("duration-number", "{\"defaults\":{\"toolTimeout\":»30}}", "/defaults/toolTimeout", "must be a duration, and is a number", "\"30s\"");
        yield return Case("schema-text", Rule("\"when\":»\"x\""), "/servers/s/rules/r/when", "must be a JSON Schema");
        yield return Case("null-value", "{\"defaults\":{\"results\":»null}}", "/defaults/results", "and is null");

        // Keys
        yield return Case("unknown-root-key", "{»\"server\":{}}", "/server", "unknown key 'server'", "Did you mean 'servers'?");
        yield return Case("unknown-case", "{»\"Servers\":{}}", "/Servers", "unknown key 'Servers'", "Did you mean 'servers'?");
        yield return Case("unknown-rule-key", Rule("»\"efect\":\"allow\""), "/servers/s/rules/r/efect", "unknown key 'efect'", "Did you mean 'effect'?");
        yield return Case("unknown-in-urls", Rule("\"urls\":{\"allow\":[\"https://a.example\"],»\"allowPrivate\":true}"), "/servers/s/rules/r/urls/allowPrivate", "unknown key 'allowPrivate'");
        yield return Case("unknown-far", "{»\"zzzzzzzz\":1}", "/zzzzzzzz", "unknown key 'zzzzzzzz'", "Known keys are $schema");
        yield return Case("unknown-escaped-pointer", "{»\"a/b~c\":1}", "/a~1b~0c", "unknown key");
        yield return Case("unknown-invisible", "{»\"aud\u200Bit\":{}}", "/aud\u200Bit", "unknown key 'aud<U+200B>it'", "Did you mean 'audit'?");
        yield return Case("unknown-secret-key", Doc("\"url\":\"https://a.example\",\"headers\":{\"X\":{»\"secrets\":\"n\"}}"), "/servers/s/headers/X/secrets", "unknown key", "Did you mean 'secret'?");
        yield return Case("unknown-word", Rule("\"effect\":»\"alow\"", effect: false), "/servers/s/rules/r/effect", "'alow' is not known here", "Did you mean 'allow'?");
        yield return Case("unknown-word-case", Rule("\"effect\":»\"Allow\"", effect: false), "/servers/s/rules/r/effect", "'Allow' is not known here", "Did you mean 'allow'?");

        // Missing and contradicting
        yield return Case("no-endpoint", "{\"servers\":{\"s\":»{}}}", "/servers/s", "nothing says how this server is reached");
        yield return Case("two-endpoints", "{\"servers\":{\"s\":»{\"url\":\"https://a.example\",\"command\":\"node\"}}}", "/servers/s", "several ways: url, command");
        yield return Case("host-provided-false", "{\"servers\":{\"s\":{\"hostProvided\":»false}}}", "/servers/s/hostProvided", "can only be true");
        yield return Case("foreign-key", Doc("\"url\":\"https://a.example\",\"sha256\":»\"x\""), "/servers/s/sha256", "no meaning for a server with \"url\"");
        yield return Case("isolation-of-url", Doc("\"url\":\"https://a.example\",\"isolation\":»{\"mode\":\"none\"}"), "/servers/s/isolation", "no meaning");
        yield return Case("rule-selects-nothing", Doc(S + "\"rules\":{\"r\":»{\"effect\":\"allow\"}}"), "/servers/s/rules/r", "selects nothing");
        yield return Case("rule-without-effect", Doc(S + "\"rules\":{\"r\":»{\"tools\":[\"a\"]}}"), "/servers/s/rules/r", "\"effect\" is missing");
        yield return Case("deny-with-require", Doc(S + "\"rules\":{\"r\":{\"tools\":[\"a\"],\"effect\":\"deny\",\"require\":»true}}"), "/servers/s/rules/r/require", "no meaning in a rule that denies");
        yield return Case("when-on-resources", Doc(S + "\"rules\":{\"r\":{\"resources\":[\"a\"],\"effect\":\"deny\",\"when\":»true}}"), "/servers/s/rules/r/when", "resources have none");
        yield return Case("paths-without-tools", Doc(S + "\"rules\":{\"r\":{\"prompts\":[\"a\"],\"effect\":\"allow\",\"paths\":»[]}}"), "/servers/s/rules/r/paths", "selects none");
        yield return Case("extension-without-timeout", Rule("\"timeoutWithProgress\":»\"1m\""), "/servers/s/rules/r/timeoutWithProgress", "progress can only extend");
        yield return Case("extension-shorter", Rule("\"timeout\":\"2m\",\"timeoutWithProgress\":»\"1m\""), "/servers/s/rules/r/timeoutWithProgress", "progress can only extend");
        yield return Case("path-and-content", Rule("\"paths\":»{\"arguments\":[\"/a\"],\"content\":[\"/a\"]}"), "/servers/s/rules/r/paths", "both a path and content");
        yield return Case("rate-without-window", Rule("\"rateLimit\":»{\"permits\":1}"), "/servers/s/rules/r/rateLimit", "\"per\" is missing");
        yield return Case("isolation-without-mode", Command("\"isolation\":»{}"), "/servers/s/isolation", "\"mode\" is missing");
        yield return Case("none-with-limit", Command("\"isolation\":{\"mode\":\"none\",\"memory\":»\"1GiB\"}"), "/servers/s/isolation/memory", "no effect without isolation");
        yield return Case("image-in-bubblewrap", Command("\"isolation\":{\"mode\":\"bubblewrap\",\"engine\":»\"docker\"}"), "/servers/s/isolation/engine", "about containers");
        yield return Case("container-without-image", Command("\"isolation\":»{\"mode\":\"container\"}"), "/servers/s/isolation", "needs an image");
        yield return Case("image-by-tag", Command("\"isolation\":{\"mode\":\"container\",\"image\":»\"node:22\"}"), "/servers/s/isolation/image", "names no digest");
        yield return Case("variable-twice", Command("\"environment\":{\"A\":\"1\"},\"isolation\":{\"mode\":\"none\",\"environment\":{»\"A\":\"2\"}}"), "/servers/s/isolation/environment/A", "for the server and for its isolation");
        yield return Case("secret-and-host", Command("\"environment\":{\"A\":{\"secret\":\"a\",\"fromHost\":»true}}"), "/servers/s/environment/A/fromHost", "only alone");
        yield return Case("header-from-host", Doc("\"url\":\"https://a.example\",\"headers\":{\"X\":{»\"fromHost\":true}}"), "/servers/s/headers/X/fromHost", "unknown key");
        yield return Case("header-twice", Doc("\"url\":\"https://a.example\",\"headers\":{\"X-A\":\"1\",»\"x-a\":\"2\"}"), "/servers/s/headers/x-a", "set twice");

        // Values
        yield return Case("server-id", "{\"servers\":{»\"a b\":{\"hostProvided\":true}}}", "/servers/a b", "is no server id");
        yield return Case("server-id-empty", "{\"servers\":{»\"\":{\"hostProvided\":true}}}", "/servers/", "is no server id");
        yield return Case("rule-id", Doc(S + "\"rules\":{»\"-r\":{\"tools\":[\"a\"],\"effect\":\"deny\"}}"), "/servers/s/rules/-r", "is no rule id");
        yield return Case("retention-zero", "{\"audit\":{\"retentionDays\":»0}}", "/audit/retentionDays", "'0' is not permitted", "from 1 to");
        yield return Case("retention-negative", "{\"audit\":{\"retentionDays\":»-1}}", "/audit/retentionDays", "'-1' is not permitted");
        yield return Case("retention-fraction", "{\"audit\":{\"retentionDays\":»7.5}}", "/audit/retentionDays", "'7.5' is not permitted");
        yield return Case("retention-exponent", "{\"audit\":{\"retentionDays\":»1e1}}", "/audit/retentionDays", "'1e1' is not permitted");
        yield return Case("tokens-huge", "{\"defaults\":{\"promptMaxTokens\":»99999999999999999999}}", "/defaults/promptMaxTokens", "is not permitted");
        yield return Case("window-zero", "{\"defaults\":{\"rateLimit\":{\"permits\":1,\"per\":»\"0s\"}}}", "/defaults/rateLimit/per", "'0s' is not permitted");
        yield return Case("window-negative", "{\"defaults\":{\"rateLimit\":{\"permits\":1,\"per\":»\"-1s\"}}}", "/defaults/rateLimit/per", "'-1s' is not permitted");
        yield return Case("window-long", "{\"defaults\":{\"rateLimit\":{\"permits\":1,\"per\":»\"2d\"}}}", "/defaults/rateLimit/per", "'2d' is not permitted");
        yield return Case("permits-negative", "{\"defaults\":{\"rateLimit\":{\"permits\":»-1,\"per\":\"1s\"}}}", "/defaults/rateLimit/permits", "'-1' is not permitted");
        yield return Case("rate-too-fast", "{\"defaults\":{\"rateLimit\":»{\"permits\":1000001,\"per\":\"1s\"}}}", "/defaults/rateLimit", "more than 1,000,000 permits a second");
        yield return Case("burst-zero", "{\"defaults\":{\"rateLimit\":{\"permits\":1,\"per\":\"1s\",\"burst\":»0}}}", "/defaults/rateLimit/burst", "'0' is not permitted");
        yield return Case("scope-twice", "{\"defaults\":{\"rateLimit\":{\"permits\":1,\"per\":\"1s\",\"by\":[\"tool\",»\"tool\"]}}}", "/defaults/rateLimit/by/1", "listed twice");
        foreach (string duration in (string[])["", "30", "s", "30 s", " 30s", "30S", "30sec", "1.5s", "+1s", "1w", "٣s", "99999999999999d", "PT30S", "0ms"])
        {
            yield return Case("duration(" + duration + ")", $"{{\"defaults\":{{\"toolTimeout\":»\"{duration}\"}}}}", "/defaults/toolTimeout", "is not permitted here");
        }

        foreach (string size in (string[])["\"1MB\"", "\"MiB\"", "\"1 MiB\"", "1.5", "-1", "\"99999999999999999GiB\"", "true", "\"0B\"", "\"65MiB\"", "67108865"])
        {
            yield return Case("size(" + size + ")", $"{{\"defaults\":{{\"results\":{{\"maxBytes\":»{size}}}}}}}", "/defaults/results/maxBytes", "is not permitted here");
        }

        yield return Case("glob-empty", Rule("", tools: "»\"\""), "/servers/s/rules/r/tools/0", "this is empty");
        yield return Case("glob-blank", Rule("", tools: "»\" \""), "/servers/s/rules/r/tools/0", "this is blank");
        yield return Case("glob-edge-blank", Rule("", tools: "»\"read_* \""), "/servers/s/rules/r/tools/0", "begins or ends with a blank");
        yield return Case("glob-double-star", Rule("", tools: "»\"read_**\""), "/servers/s/rules/r/tools/0", "'**' means no more than '*'");
        yield return Case("glob-question", Rule("", tools: "»\"read_?\""), "/servers/s/rules/r/tools/0", "no wildcards here");
        yield return Case("glob-class", Rule("", tools: "»\"read_[ab]\""), "/servers/s/rules/r/tools/0", "no wildcards here");
        yield return Case("glob-control", Rule("", tools: "»\"read_\\u0007\""), "/servers/s/rules/r/tools/0", "control character");
        yield return Case("glob-many-stars", Rule("", tools: $"»\"{string.Concat(Enumerable.Repeat("*a", 17))}\""), "/servers/s/rules/r/tools/0", "more than 16 '*'");
        yield return Case("glob-twice", Rule("", tools: "\"a\",»\"a\""), "/servers/s/rules/r/tools/1", "listed twice");
        yield return Case("tools-empty", Doc(S + "\"rules\":{\"r\":{\"effect\":\"allow\",\"tools\":»[]}}"), "/servers/s/rules/r/tools", "0 elements");
        yield return Case("root-empty", Doc(S + "\"roots\":[»\"\"]"), "/servers/s/roots/0", "this is empty");
        yield return Case("root-blank", Doc(S + "\"roots\":[»\"  \"]"), "/servers/s/roots/0", "this is blank");
        yield return Case("root-edge-blank", Doc(S + "\"roots\":[»\"/srv/a \"]"), "/servers/s/roots/0", "begins or ends with a blank");
        yield return Case("root-tilde", Doc(S + "\"roots\":[»\"~/project\"]"), "/servers/s/roots/0", "'~' is not expanded");
        yield return Case("root-nul", Doc(S + "\"roots\":[»\"/srv/\\u0000\"]"), "/servers/s/roots/0", "control character");
        yield return Case("root-relative-no-file", Doc(S + "\"roots\":[»\"data\"]"), "/servers/s/roots/0", "is relative, and this policy is in no file");
        yield return Case("root-twice", Doc(S + "\"roots\":[\"/srv/a\",»\"/srv/b/../a/\"]"), "/servers/s/roots/1", "listed twice");
        yield return Case("root-object-without-path", Doc(S + "\"roots\":[»{\"access\":\"read\"}]"), "/servers/s/roots/0", "\"path\" is missing");
        yield return Case("url-pattern", Doc("\"url\":»\"https://*.example.com\""), "/servers/s/url", "one exact URL");
        foreach (string url in (string[])["ftp://a.example", "a.example", "https://", "https://u@a.example", "https://a.example#x", "https://a.example/ b", "https:\\\\\\\\a.example", "javascript:alert(1)", "file:///etc/passwd"])
        {
            yield return Case("url(" + url + ")", Doc($"\"url\":»\"{url}\""), "/servers/s/url", "is no server URL");
        }

        foreach (string pattern in (string[])["https://a*.example", "https://a.example/*", "https://*.*.example", "*", "https://**"])
        {
            yield return Case("urls(" + pattern + ")", Rule($"\"urls\":[»\"{pattern}\"]"), "/servers/s/rules/r/urls/0", "is no URL pattern");
        }

        yield return Case("authorization-star", Doc("\"url\":\"https://a.example\",\"authorizationUrls\":[»\"https://*.a.example\"]"), "/servers/s/authorizationUrls/0", "has no '*'");
        yield return Case("header-name", Doc("\"url\":\"https://a.example\",\"headers\":{»\"X A\":\"1\"}"), "/servers/s/headers/X A", "is no header name");
        yield return Case("header-value", Doc("\"url\":\"https://a.example\",\"headers\":{\"X\":»\"a\\r\\nY: b\"}"), "/servers/s/headers/X", "NUL or a line end");
        yield return Case("variable-name", Command("\"environment\":{»\"A=B\":\"1\"}"), "/servers/s/environment/A=B", "is no name of a variable");
        yield return Case("variable-value", Command("\"environment\":{\"A\":»1}"), "/servers/s/environment/A", "a text or a reference");
        yield return Case("secret-name", Command("\"environment\":{\"A\":{\"secret\":»\"../a\"}}"), "/servers/s/environment/A/secret", "is no name of a secret");
        yield return Case("variable-loader", Command("\"environment\":{»\"LD_PRELOAD\":\"/x.so\"}"), "/servers/s/environment/LD_PRELOAD", "no server is given it");
        yield return Case("variable-of-box", Command("\"isolation\":{\"mode\":\"none\",\"environment\":{»\"node_options\":\"-r /x\"}}"), "/servers/s/isolation/environment/node_options", "no server is given it");
        yield return Case("runner-open", """{"servers":{"s":{"command":»"npx","arguments":["-y","server"],"isolation":{"mode":"none"}}}}""", "/servers/s/command", "npx fetches what it runs", "mcp-guard install");
        yield return Case("runner-behind-shell", """{"servers":{"s":{"command":»"/bin/sh","arguments":["-c","npx -y server@1.2.3"],"isolation":{"mode":"none"}}}}""", "/servers/s/command", "fetches what it runs");
        yield return Case("variable-by-env", """{"servers":{"s":{"command":»"/usr/bin/env","arguments":["LD_PRELOAD=/x.so","/opt/s"],"isolation":{"mode":"none"}}}}""", "/servers/s/command", "sets a variable");
        yield return Case("batch-file", """{"servers":{"s":{"command":»"server.cmd","isolation":{"mode":"none"}}}}""", "/servers/s/command", "batch file");
        yield return Case("argument-nul", Command("\"arguments\":[»\"a\\u0000b\"]"), "/servers/s/arguments/0", "cannot hold NUL");
        yield return Case("argument-number", Command("\"arguments\":[»1]"), "/servers/s/arguments/0", "must be a text");
        yield return Case("argument-package-range", Command("\"arguments\":[{\"package\":\"a\",\"version\":»\"^1.0.0\"}]"), "/servers/s/arguments/0/version", "is no exact version");
        foreach (string version in (string[])["latest", "1", "1.2", "^1.2.3", "1.2.x", "*", ">=1.0.0", "1.2.3-", "v1.2.3", "1.2.3 "])
        {
            yield return Case("version(" + version + ")", Doc($"\"package\":{{\"npm\":\"a\",\"version\":»\"{version}\"}}"), "/servers/s/package/version", "is no exact version");
        }

        foreach (string name in (string[])["../a", "a@1.0.0", "@a", "-a", "a/b", "https://a.example/x.tgz", "file:a", "a b"])
        {
            yield return Case("package(" + name + ")", Doc($"\"package\":{{\"npm\":»\"{name}\",\"version\":\"1.0.0\"}}"), "/servers/s/package/npm", "is no package name");
        }

        yield return Case("package-two-registries", Doc("\"package\":»{\"npm\":\"a\",\"dotnet\":\"a\",\"version\":\"1.0.0\"}"), "/servers/s/package", "exactly one registry");
        yield return Case("package-without-version", Doc("\"package\":»{\"npm\":\"a\"}"), "/servers/s/package", "\"version\" is missing");
        yield return Case("sha256", Command("\"sha256\":»\"ABC\""), "/servers/s/sha256", "is no SHA-256");
        yield return Case("sha256-upper", Command($"\"sha256\":»\"{new string('A', 64)}\""), "/servers/s/sha256", "is no SHA-256");
        yield return Case("pin", Doc(S + "\"pins\":{\"t\":»\"x\"}"), "/servers/s/pins/t", "is no SHA-256");
        yield return Case("pin-without-name", Doc(S + $"\"pins\":{{»\"\":\"{new string('a', 64)}\"}}"), "/servers/s/pins/", "is no tool name");
        yield return Case("pointer", Rule("\"paths\":[»\"path\"]"), "/servers/s/rules/r/paths/0", "is no JSON Pointer");
        yield return Case("pointer-escape", Rule("\"paths\":[»\"/a~2\"]"), "/servers/s/rules/r/paths/0", "is no JSON Pointer");
        yield return Case("pointer-twice", Rule("\"paths\":[\"/a\",»\"/a\"]"), "/servers/s/rules/r/paths/1", "listed twice");
        yield return Case("host", Doc(S + "\"results\":{\"allowedHosts\":[»\"https://a.example\"]}"), "/servers/s/results/allowedHosts/0", "is no host");
        yield return Case("user-name", Command("\"isolation\":{\"mode\":\"bubblewrap\",\"user\":»\"nobody\"}"), "/servers/s/isolation/user", "is no user");
        yield return Case("user", Command("\"isolation\":{\"mode\":\"bubblewrap\",\"user\":»\"--root\"}"), "/servers/s/isolation/user", "is no user");
        yield return Case("network", Command("\"isolation\":{\"mode\":\"bubblewrap\",\"network\":»\"host\"}"), "/servers/s/isolation/network", "not known here", "\"loopback\"");
        yield return Case("cpus", Command("\"isolation\":{\"mode\":\"bubblewrap\",\"cpus\":»0}"), "/servers/s/isolation/cpus", "is not permitted", "0.01");
        yield return Case("control-twice", Command("\"isolation\":{\"mode\":\"bubblewrap\",\"required\":[\"system-calls\",»\"system-calls\"]}"), "/servers/s/isolation/required/1", "listed twice");

        // Schemas
        yield return Case("schema-refused", Rule("\"require\":»{\"$fake\":\"refuse\"}"), "/servers/s/rules/r/require", "the schema is refused (scripted)");
        yield return Case("schema-refused-inside", Rule("\"require\":{\"$fake\":\"refuse\",\"at\":\"/properties/a\",\"properties\":{\"a\":»{}}}"), "/servers/s/rules/r/require/properties/a", "the schema is refused");
        yield return Case("schema-engine-crash", Rule("\"when\":»{\"$fake\":\"crash\"}"), "/servers/s/rules/r/when", "the schema engine failed");

        // Places
        yield return Case("column-counts-utf16", "{\"description\":\"😀é\",»\"x\":1}", "/x", "unknown key");
        yield return Case("carriage-returns", "{\r\n\r\n  »\"x\":1}", "/x", "unknown key");
    }

    [TestCaseSource(nameof(Faults))]
    public void Read_Fault_IsReportedWithItsPlaceAndFix(string marked, string pointer, string message, string? fix)
    {
        int at = marked.IndexOf('»', StringComparison.Ordinal);
        string json = marked.Remove(at, 1);
        int line = marked.AsSpan(0, at).Count('\n') + 1;
        int column = at - (marked.LastIndexOf('\n', Math.Max(0, at - 1)) is >= 0 and var end && at > 0 ? end + 1 : 0) + 1;
        GuardPolicyError[] errors = PolicyTexts.Errors(json);
        GuardPolicyError error = errors.FirstOrDefault(candidate => candidate.Message.Contains(message, StringComparison.Ordinal)) ?? errors[0];
        Assert.Multiple(() =>
        {
            Assert.That(error.Message, Does.Contain(message));
            Assert.That(error.Location, Is.EqualTo(pointer));
            Assert.That((error.Line, error.Column), Is.EqualTo((line, column)));
            Assert.That(error.Fix, Is.Not.Empty);
            Assert.That(error.Fix, Does.Contain(fix ?? string.Empty));
            Assert.That(error.File, Is.Null);
        });
    }

    [Test]
    public void Read_SeveralFaults_AreAllReportedInOrder()
    {
        GuardPolicyError[] errors = PolicyTexts.Errors("{\"audit\":{\"retentionDays\":0},\n\"defaults\":{\"toolTimeout\":\"x\"},\n\"servers\":{\"s\":{\"url\":\"x\",\"rules\":{\"r\":{}}}}}");
        Assert.That(
            errors.Select(error => (error.Line, error.Location)),
            Is.EqualTo(new[] { (1, "/audit/retentionDays"), (2, "/defaults/toolTimeout"), (3, "/servers/s/url"), (3, "/servers/s/rules/r"), (3, "/servers/s/rules/r") }));
    }

    [Test]
    public void Read_FaultInFile_NamesTheFile()
    {
        GuardPolicyError error = PolicyTexts.Errors("{\"x\":1}", "/etc/acme/mcp-guard.json").Single();
        Assert.That(error.ToString(), Does.StartWith("/etc/acme/mcp-guard.json(1,2): /x: unknown key 'x'."));
    }

    [Test]
    public void Read_ThousandsOfFaults_AreBounded()
    {
        string members = string.Join(',', Enumerable.Range(0, 5_000).Select(i => $"\"k{i}\":1"));
        Assert.That(PolicyTexts.Errors("{" + members + "}"), Has.Length.EqualTo(PolicyProblems.MaxErrors));
    }

    [Test]
    public void Read_InvalidUtf8_IsRefusedAtTheByte()
    {
        byte[] bytes = [.. "{\n \"a"u8, 0xC0, 0xAF, .. "\":1}"u8];
        McpGuardPolicyException e = Assert.Throws<McpGuardPolicyException>(() => PolicyReader.Read(bytes, null, FakeSchemas.Instance, PolicyTexts.Options))!;
        Assert.That((e.Errors[0].Line, e.Errors[0].Column, e.Errors[0].Message), Is.EqualTo((2, 4, "the file is not valid UTF-8 here")));
    }

    [Test]
    public void Read_Utf16_IsRefusedWithItsName()
    {
        byte[] bytes = [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes("{}")];
        McpGuardPolicyException e = Assert.Throws<McpGuardPolicyException>(() => PolicyReader.Read(bytes, null, FakeSchemas.Instance, PolicyTexts.Options))!;
        Assert.That(e.Errors[0].Message, Is.EqualTo("the file is UTF-16"));
    }

    [Test]
    public void Read_ByteOrderMark_IsSkippedAndPlacesStayRight()
    {
        byte[] good = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(PolicyTexts.Design)];
        Assert.That(PolicyReader.Read(good, null, FakeSchemas.Instance, PolicyTexts.Options).Revision, Is.EqualTo(PolicyTexts.Read(PolicyTexts.Design).Revision));

        byte[] bad = [0xEF, 0xBB, 0xBF, .. "{\n \"x\":1}"u8];
        McpGuardPolicyException e = Assert.Throws<McpGuardPolicyException>(() => PolicyReader.Read(bad, null, FakeSchemas.Instance, PolicyTexts.Options))!;
        Assert.That((e.Errors[0].Line, e.Errors[0].Column), Is.EqualTo((2, 2)));
    }

    [Test]
    public void Read_LargerThanTheBound_IsRefusedUnread()
    {
        byte[] bytes = new byte[PolicyParser.MaxBytes + 1];
        McpGuardPolicyException e = Assert.Throws<McpGuardPolicyException>(() => PolicyReader.Read(bytes, null, FakeSchemas.Instance, PolicyTexts.Options))!;
        Assert.That(e.Errors.Single().Message, Does.Contain($"{bytes.Length} bytes"));
    }

    [Test]
    public void Read_MoreValuesThanTheBound_IsRefused()
    {
        string many = string.Join(',', Enumerable.Repeat("0", PolicyParser.MaxValues));
        Assert.That(PolicyTexts.Errors($"{{\"servers\":[{many}]}}").Single().Message, Does.Contain("more than 1000000 values"));
    }

    private static TestCaseData Case(string name, string marked, string pointer, string message, string? fix = null) =>
        new TestCaseData(marked, pointer, message, fix).SetArgDisplayNames(name);

    private static string Doc(string server) => "{\"servers\":{\"s\":{" + server.TrimEnd(',') + "}}}";

    private static string Command(string members) => Doc("\"command\":\"node\"," + members);

    private static string Rule(string members, string tools = "\"a\"", bool effect = true) =>
        Doc(S + "\"rules\":{\"r\":{\"tools\":[" + tools + "]" + (effect ? ",\"effect\":\"allow\"" : "") + (members.Length > 0 ? "," + members : "") + "}}");
}
