using System.Text.Json;
using Mcp.Guard.Cli.Commands;

namespace Mcp.Guard.Tests.Cli;

/// <summary>What <c>check</c> says of policies, without starting anything.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class CheckTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestCase("""{ "r": { "tools": ["x"], "effect": "allow", "when": { "type": "string" } } }""", "/rules/r/when: this rule never matches")]
    [TestCase("""{ "r": { "tools": ["x"], "effect": "allow", "require": false } }""", "/rules/r/require: this rule denies every call that it matches")]
    [TestCase("""{ "r": { "tools": ["read file"], "effect": "allow" } }""", "/rules/r/tools/0: 'read file' never matches")]
    [TestCase("""{ "r": { "tools": ["..*"], "effect": "deny" } }""", "/rules/r/tools/0: '..*' never matches")]
    [TestCase("""{ "r": { "resources": ["readme"], "effect": "deny" } }""", "/rules/r/resources/0: 'readme' never matches")]
    [TestCase("""{ "a": { "tools": ["read_a", "write_b"], "effect": "allow" }, "d": { "tools": ["write_*"], "effect": "deny" } }""", "/rules/a/tools/1: 'write_b' is hidden: rule 'd' denies")]
    [TestCase("""{ "a": { "tools": ["write_b"], "effect": "allow" }, "d": { "tools": ["write_*"], "effect": "deny" } }""", "/rules/a: everything this rule selects is denied by other rules: 'd'")]
    [TestCase("""{ "a": { "tools": ["read_a"], "effect": "allow" }, "q": { "tools": ["*"], "effect": "ask" } }""", "/rules/a/tools/0: 'read_a' is asked about all the same: rule 'q' asks")]
    [TestCase("""{ "a": { "tools": ["*"], "effect": "allow" } }""", "/rules/a/tools/0: every pinned tool of this server passes")]
    public async Task Check_RuleWorthALook_IsAWarningWithItsPlace(string rules, string expected)
    {
        CommandRun run = await CheckAsync($$"""{ "servers": { "s": { "url": "https://mcp.example.com/mcp", "rules": {{rules}} } } }""");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Match(@"warning: .*\(\d+,\d+\): /servers/s" + System.Text.RegularExpressions.Regex.Escape(expected)));
        Assert.That((await CheckAsync(null, "--strict")).ExitCode, Is.EqualTo(1));
    }

    [TestCase(""" "audit": { "retentionDays": 365 }, """, "", "the audit is kept 365 days")]
    [TestCase("", """ "trusted": true, """, "the server's own hints can make its tools count as harmless")]
    [TestCase("", """ "allowPrivate": true, """, "may lead to private addresses")]
    [TestCase("", """ "requireCaller": false, """, "share grants and rates")]
    [TestCase(""" "defaults": { "rateLimit": { "permits": 0, "per": "1s" } }, """, "", "may make no call at all")]
    public async Task Check_SettingWorthALook_IsAWarning(string document, string server, string expected)
    {
        CommandRun run = await CheckAsync($$"""{ {{document}} "servers": { "s": { {{server}} "url": "https://mcp.example.com/mcp" } } }""");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain(expected));
    }

    [TestCase("""{ "command": "/bin/cat", "isolation": { "mode": "none" } }""", "runs without isolation")]
    [TestCase("""{ "command": "/bin/cat" }""", "nothing says in what this server runs")]
    [TestCase("""{ "command": "npx", "arguments": ["-y", "left-pad@1.3.0"], "isolation": { "mode": "none" } }""", "fetches what it runs")]
    [TestCase("""{ "command": "/bin/cat", "isolation": { "mode": "bubblewrap", "network": true } }""", "nothing judges where")]
    [TestCase("""{ "command": "/bin/cat", "isolation": { "mode": "bubblewrap", "writable": ["FOLDER"] } }""", "which is in no root that calls may write")]
    [TestCase("""{ "command": "/bin/cat", "isolation": { "mode": "bubblewrap" }, "roots": ["FOLDER"] }""", "the server's box shows it read-only")]
    [TestCase("""{ "package": { "npm": "left-pad", "version": "1.3.0" }, "isolation": { "mode": "none" } }""", "on this machine: s: ")]
    [TestCase("""{ "command": "/bin/cat", "isolation": { "mode": "none" }, "environment": { "A": { "secret": "NOBODY_HAS_THIS" } } }""", "the environment has no secret 'NOBODY_HAS_THIS'")]
    public async Task Check_ServerWorthALook_IsAWarning(string server, string expected)
    {
        string folder = Directory.CreateDirectory(_folder.File("root")).FullName;
        CommandRun run = await CheckAsync($$"""{ "servers": { "s": {{server.Replace("FOLDER", folder, StringComparison.Ordinal)}} } }""");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain(expected));
    }

    [Test]
    public async Task Check_PolicyWithoutFlaw_SaysNothingElse()
    {
        CommandRun run = await CheckAsync("""{ "servers": { "s": { "url": "https://mcp.example.com/mcp", "rules": { "a": { "tools": ["read_a"], "effect": "allow" } } } } }""");
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, string.Empty)));
        Assert.That(run.Output, Does.Contain("acceptable, 1 server, 1 rule, 0 warnings"));
    }

    [Test]
    public async Task Check_WithJson_HoldsEveryWarningWithItsPlace()
    {
        CommandRun run = await CheckAsync("""{ "servers": { "s": { "url": "https://mcp.example.com/mcp", "trusted": true } } }""", "--json");
        JsonElement root = JsonDocument.Parse(run.Output).RootElement;
        JsonElement warning = root.GetProperty("warnings")[0];
        Assert.That(
            (root.GetProperty("ok").GetBoolean(), warning.GetProperty("line").GetInt32(), warning.GetProperty("column").GetInt32(), warning.GetProperty("location").GetString()),
            Is.EqualTo((true, 1, 72, "/servers/s/trusted")));
    }

    private Task<CommandRun> CheckAsync(string? policy, params string[] options)
    {
        string path = _folder.File("policy.json");
        if (policy is not null)
        {
            File.WriteAllText(path, policy);
        }

        return CommandRun.OfAsync([CheckCommand.Create()], ["check", path, .. options]);
    }
}
