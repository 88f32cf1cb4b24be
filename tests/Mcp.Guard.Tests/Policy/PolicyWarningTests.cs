using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>What a policy may say and should not: each warning in its words, and the nearest document that earns none.</summary>
[TestFixture]
internal sealed class PolicyWarningTests
{
    [TestCase("{\"audit\":{\"retentionDays\":6}}", "/audit/retentionDays: the audit is kept 6 days. 7 to 30 are recommended.")]
    [TestCase("{\"audit\":{\"retentionDays\":7}}", null)]
    [TestCase("{\"audit\":{\"retentionDays\":30}}", null)]
    [TestCase("{\"audit\":{\"retentionDays\":31}}", "/audit/retentionDays: the audit is kept 31 days. 7 to 30 are recommended.")]
    [TestCase("{\"audit\":{}}", null)]
    [TestCase("{\"audit\":{\"durability\":\"bestEffort\"}}", "/audit/durability: records can be lost without stopping calls. Use \"flushed\" where every call must have its record.")]
    [TestCase("{\"audit\":{\"durability\":\"durable\"}}", null)]
    [TestCase("{\"audit\":{\"durability\":\"flushed\"}}", null)]
    public void Read_Audit_WarnsOfWhatIsRisky(string json, string? expected) => Check(json, expected);

    [TestCase("\"hostProvided\":true,\"trusted\":true", "/servers/s/trusted: the server's own hints can make its tools count as harmless. Say what is harmless in rules.")]
    [TestCase("\"hostProvided\":true,\"trusted\":false", null)]
    [TestCase("\"hostProvided\":true,\"transport\":\"unchecked\"", "/servers/s/transport: a transport of the host's is accepted without a check of where it leads. Let the guard connect.")]
    [TestCase("\"hostProvided\":true,\"transport\":\"sse\"", null)]
    [TestCase("\"url\":\"https://a.example\"", null)]
    [TestCase("\"command\":\"node\"", "/servers/s: nothing says in what this server runs. Add \"isolation\"; a server without any needs \"mode\": \"none\".")]
    [TestCase("\"package\":{\"npm\":\"a\",\"version\":\"1.0.0\"}", "/servers/s: nothing says in what this server runs. Add \"isolation\"; a server without any needs \"mode\": \"none\".")]
    [TestCase("\"command\":\"node\",\"isolation\":{\"mode\":\"none\"}", "/servers/s/isolation: this server runs without isolation, with all rights of the host. Use \"bubblewrap\" or \"container\".")]
    [TestCase("\"command\":\"node\",\"isolation\":{\"mode\":\"bubblewrap\"}", null)]
    [TestCase("\"command\":\"npx\",\"arguments\":[\"-y\",\"server@1.2.3\"],\"isolation\":{\"mode\":\"bubblewrap\"}", "/servers/s/command: npx fetches what it runs, and all its dependencies in whatever version, at every start. Use \"package\" and mcp-guard install.")]
    public void Read_Server_WarnsOfWhatIsRisky(string members, string? expected) => Check("{\"servers\":{\"s\":{" + members + "}}}", expected);

    [TestCase("GITHUB_TOKEN")]
    [TestCase("client_Secret")]
    [TestCase("PASSWORD")]
    [TestCase("db_passwd")]
    [TestCase("ApiKey")]
    [TestCase("API_KEY")]
    [TestCase("X-Api-Key")]
    [TestCase("CREDENTIALS")]
    [TestCase("PRIVATE_KEY_PEM")]
    [TestCase("Authorization")]
    public void Read_SecretInTheDocument_WarnsWithoutShowingIt(string name) => Assert.Multiple(() =>
    {
        Check(
            Variable(name, "\"hunter2\""),
            $$"""/servers/s/environment/{{name}}: '{{name}}' looks like a secret that is written into the policy. Write { "secret": "name" }.""");
        Check(Variable(name, "{\"secret\":\"n\"}"), null);
        Check("{\"servers\":{\"s\":{\"url\":\"https://a.example\",\"headers\":{\"X-Plain\":\"" + name + "\"}}}}", null);
    });

    [TestCase("\"a\":{\"tools\":[\"read_*\"],\"effect\":\"allow\"},\"b\":{\"tools\":[\"*\"],\"effect\":\"deny\"}", "/servers/s/rules/a: everything this rule selects is denied by other rules: 'b'. Remove this rule, or narrow the rules that deny.")]
    [TestCase("\"a\":{\"tools\":[\"x\",\"y\"],\"effect\":\"ask\"},\"b\":{\"tools\":[\"x\"],\"effect\":\"deny\"},\"c\":{\"tools\":[\"y\"],\"effect\":\"deny\"}", "/servers/s/rules/a: everything this rule selects is denied by other rules: 'b', 'c'. Remove this rule, or narrow the rules that deny.")]
    [TestCase("\"a\":{\"resources\":[\"x\"],\"prompts\":[\"p\"],\"effect\":\"ask\"},\"b\":{\"resources\":[\"x\"],\"effect\":\"deny\"},\"c\":{\"prompts\":[\"p\"],\"effect\":\"deny\"}", "/servers/s/rules/a: everything this rule selects is denied by other rules: 'b', 'c'. Remove this rule, or narrow the rules that deny.")]
    [TestCase("\"a\":{\"tools\":[\"x\",\"z\"],\"effect\":\"ask\"},\"b\":{\"tools\":[\"x\"],\"effect\":\"deny\"}", null)]
    [TestCase("\"a\":{\"tools\":[\"x\"],\"resources\":[\"r\"],\"effect\":\"ask\"},\"b\":{\"tools\":[\"x\"],\"effect\":\"deny\"}", null)]
    [TestCase("\"a\":{\"tools\":[\"x\"],\"prompts\":[\"p\"],\"effect\":\"ask\"},\"b\":{\"tools\":[\"x\"],\"effect\":\"deny\"}", null)]
    [TestCase("\"a\":{\"tools\":[\"x\"],\"effect\":\"ask\"},\"b\":{\"prompts\":[\"x\"],\"effect\":\"deny\"}", null)]
    [TestCase("\"a\":{\"tools\":[\"x\"],\"effect\":\"ask\"},\"b\":{\"tools\":[\"x\"],\"effect\":\"deny\",\"when\":true}", null)]
    [TestCase("\"a\":{\"tools\":[\"x\"],\"effect\":\"deny\"},\"b\":{\"tools\":[\"*\"],\"effect\":\"deny\"}", null)]
    public void Read_RuleBehindDenials_WarnsWhereNothingOfItIsLeft(string rules, string? expected) => Check(PolicyTexts.Server($"\"rules\":{{{rules}}}"), expected);

    [Test]
    public void Read_RuleBehindManyDenials_FiveAreNamed()
    {
        string rules = "\"a\":{\"tools\":[" + string.Join(',', Enumerable.Range(0, 6).Select(i => $"\"t{i}\"")) + "],\"effect\":\"ask\"},"
            + string.Join(',', Enumerable.Range(0, 6).Select(i => $"\"d{i}\":{{\"tools\":[\"t{i}\"],\"effect\":\"deny\"}}"));
        Check(PolicyTexts.Server($"\"rules\":{{{rules}}}"), "/servers/s/rules/a: everything this rule selects is denied by other rules: 'd0', 'd1', 'd2', 'd3', 'd4'. Remove this rule, or narrow the rules that deny.");
    }

    [TestCase("\"roots\":[\"/srv/mcp-guard-no-such-folder\"]", "/servers/s/roots/0: '/srv/mcp-guard-no-such-folder' does not exist. Create it, or correct the path.")]
    [TestCase("\"roots\":[{\"path\":\"/srv/mcp-guard-no-such-folder\"}]", "/servers/s/roots/0/path: '/srv/mcp-guard-no-such-folder' does not exist. Create it, or correct the path.")]
    [TestCase("\"roots\":[\"/usr\"]", null)]
    [Platform(Exclude = "Win", Reason = "the paths are those of Unix")]
    public void Read_FolderThatDoesNotExist_Warns(string members, string? expected) => Check(PolicyTexts.Server(members), expected);

    [Test]
    public void Read_ThousandsOfWarnings_AreBounded()
    {
        string servers = string.Join(',', Enumerable.Range(0, 600).Select(i => $"\"s{i}\":{{\"hostProvided\":true,\"trusted\":true,\"transport\":\"unchecked\"}}"));
        Assert.That(PolicyTexts.Read("{\"servers\":{" + servers + "}}").Warnings, Has.Count.EqualTo(PolicyProblems.MaxWarnings));
    }

    private static string Variable(string name, string value) =>
        "{\"servers\":{\"s\":{\"command\":\"node\",\"environment\":{\"" + name + "\":" + value + "},\"isolation\":{\"mode\":\"bubblewrap\"}}}}";

    private static void Check(string json, string? expected)
    {
        IReadOnlyList<string> warnings = PolicyTexts.Read(json).Warnings;
        Assert.That(warnings, Has.Count.EqualTo(expected is null ? 0 : 1));
        if (expected is not null)
        {
            Assert.That(warnings[0], Does.StartWith("policy(1,").And.EndWith("): " + expected));
        }
    }
}
