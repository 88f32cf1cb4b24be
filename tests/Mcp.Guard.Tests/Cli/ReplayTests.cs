using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Cli.Replay;
using Mcp.Guard.Testing;
using Mcp.Guard.Tests.Audit;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Cli;

/// <summary><c>mcp-guard replay</c>: logs of a real guard against draft policies.</summary>
[TestFixture]
internal sealed class ReplayTests
{
    private const string Secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>The policy under which the log of <see cref="LogAsync"/> is written.</summary>
    private static Action<GuardServerBuilder> Then { get; } = server => server
        .Allow("echo", rule => rule.Tools("echo").RateLimit(1_000, TimeSpan.FromSeconds(1)))
        .Deny("no", rule => rule.Tools("other"));

    private static string Draft(string rules, string more = "") => $$"""
        { "servers": { "test": { "hostProvided": true{{more}}, "rules": { {{rules}} } } } }
        """;

    private static JsonArray Tools => [RawServer.Tool("echo"), RawServer.Tool("other"), RawServer.Tool("write", """{"type":"object","properties":{"n":{"type":"integer"}}}""")];

    private static async Task LogAsync(AuditFixture guard, params (string Tool, string Arguments)[] calls)
    {
        await using McpClient client = await guard.ConnectAsync(new RawServer { Tools = Tools });
        await client.ListToolsAsync();
        foreach ((string tool, string arguments) in calls)
        {
            await client.CallToolAsync(tool, JsonSerializer.Deserialize<Dictionary<string, object?>>(arguments));
        }
    }

    private static AuditFixture Guard(Action<GuardServerBuilder> server, IConsentProvider? consent = null, Action<GuardPolicyBuilder>? policy = null) =>
        new(server, builder =>
        {
            if (consent is not null)
            {
                builder.Parts.Consent.Clear();
                builder.UseConsent(consent);
            }
        }, policy);

    private static async Task<CommandRun> ReplayAsync(string log, string draft, params string[] more)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("draft.json");
        await File.WriteAllTextAsync(path, draft);
        return await CommandRun.OfAsync([ReplayCommand.Create()], ["replay", path, "--audit", log, .. more]);
    }

    private static async Task<JsonElement> GroupAsync(AuditFixture guard, string draft, string target, int exitCode, params string[] more)
    {
        await guard.CloseAsync();
        CommandRun run = await ReplayAsync(guard.Log, draft, ["--json", .. more]);
        Assert.That(run.ExitCode, Is.EqualTo(exitCode), run.Output + run.Error);
        return JsonDocument.Parse(run.Output).RootElement.GetProperty("groups").EnumerateArray().Single(group => group.GetProperty("target").GetString() == target);
    }

    private static (string? Change, string? Now) Of(JsonElement group) => (group.GetProperty("change").GetString(), group.GetProperty("now").GetString());

    // ---- what changes -----------------------------------------------------------------------------------------------------------------------

    [TestCase("""{ "tools": ["echo"], "effect": "allow" }""", "same", "passes", 0)]
    [TestCase("""{ "tools": ["echo"], "effect": "ask" }""", "newlyAsked", "asked", 0)]
    [TestCase("""{ "tools": ["echo"], "effect": "deny" }""", "newlyDenied", "denied rule-denied", 0)]
    [TestCase("""{ "tools": ["echo"], "effect": "allow", "require": { "properties": { "n": { "maximum": 3 } } } }""", "newlyDenied", "denied arguments-invalid", 0)]
    [TestCase("""{ "tools": ["echo"], "effect": "allow", "require": { "properties": { "n": { "maximum": 9 } } } }""", "same", "passes", 0)]
    [TestCase("""{ "tools": ["echo"], "effect": "deny", "when": { "properties": { "n": { "const": 5 } }, "required": ["n"] } }""", "newlyDenied", "denied rule-denied", 0)]
    [TestCase("""{ "tools": ["none"], "effect": "allow" }""", "newlyAsked", "asked", 0)]
    public async Task Replay_CallThatPassed_IsJudgedByTheDraft(string rule, string change, string now, int exitCode)
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("echo", """{"n":5,"text":"a <b> & 'ä' 日本 \"q\""}"""));
        Assert.That(Of(await GroupAsync(guard, Draft($"\"r\": {rule}"), "echo", exitCode)), Is.EqualTo((change, now)));
    }

    [TestCase("""{ "tools": ["other"], "effect": "deny" }""", "same", "denied rule-denied", 0)]
    [TestCase("""{ "tools": ["other"], "effect": "ask" }""", "askedInsteadOfDenied", "asked", 0)]
    [TestCase("""{ "tools": ["other"], "effect": "allow" }""", "newlyPasses", "passes", 1)]
    [TestCase("""{ "tools": ["oth*"], "effect": "allow" }""", "newlyPasses", "passes", 1)]
    public async Task Replay_CallThatWasDenied_Exit1WhereItNewlyPasses(string rule, string change, string now, int exitCode)
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("other", """{"n":5}"""));
        Assert.That(Of(await GroupAsync(guard, Draft($"\"r\": {rule}"), "other", exitCode)), Is.EqualTo((change, now)));
    }

    [TestCase(true, """{ "tools": ["echo"], "effect": "ask" }""", "same", 0)]
    [TestCase(false, """{ "tools": ["echo"], "effect": "ask" }""", "same", 0)]
    [TestCase(true, """{ "tools": ["echo"], "effect": "allow" }""", "newlyPasses", 1)]
    [TestCase(false, """{ "tools": ["echo"], "effect": "allow" }""", "newlyPasses", 1)]
    [TestCase(true, """{ "tools": ["echo"], "effect": "deny" }""", "newlyDenied", 0)]
    public async Task Replay_CallThatWasAskedAbout_PassesNewlyWhereNobodyWouldBeAsked(bool agreed, string rule, string change, int exitCode)
    {
        ScriptedConsentProvider person = new ScriptedConsentProvider().Then(request => agreed ? ConsentAnswer.AllowOnce(request) : ConsentAnswer.Deny(request));
        await using AuditFixture guard = Guard(server => server.Ask("ask", rule => rule.Tools("echo")), person);
        await LogAsync(guard, ("echo", """{"n":5}"""));
        JsonElement group = await GroupAsync(guard, Draft($"\"r\": {rule}"), "echo", exitCode);
        Assert.That(group.GetProperty("change").GetString(), Is.EqualTo(change));
        Assert.That(group.GetProperty("was").GetString(), Is.EqualTo(agreed ? "asked, allowed" : "asked, consent-denied"));
    }

    [Test]
    public async Task Replay_ServerThatTheDraftDoesNotName_IsDenied()
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("echo", "{}"));
        Assert.That(Of(await GroupAsync(guard, """{ "servers": {} }""", "echo", 0)), Is.EqualTo(("newlyDenied", "denied server-not-allowed")));
    }

    [Test]
    public async Task Replay_PathOutsideTheDraftsRoots_IsDenied()
    {
        using var root = new TemporaryFolder();
        string path = root.File("y.txt");
        string folder = Path.GetDirectoryName(path)!;
        await using AuditFixture guard = Guard(server => Then(server.Root(folder)));
        await LogAsync(guard, ("echo", $$"""{"path":"{{JsonEncodedText.Encode(path)}}"}"""));
        string allow = "\"r\": { \"tools\": [\"echo\"], \"effect\": \"allow\" }";
        Assert.That(Of(await GroupAsync(guard, Draft(allow, $", \"roots\": [\"{folder}\"]"), "echo", 0)), Is.EqualTo(("same", "passes")));
        Assert.That(Of(await GroupAsync(guard, Draft(allow, ", \"roots\": [\"/srv/nothing\"]"), "echo", 0)), Is.EqualTo(("newlyDenied", "denied path-outside-roots")));
    }

    [Test]
    public async Task Replay_RateOfTheDraft_CountsByTheTimesOfTheCalls()
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, [.. Enumerable.Repeat(("echo", "{}"), 4)]);
        const string rule = """
            "r": { "tools": ["echo"], "effect": "allow", "rateLimit": { "permits": 1, "per": "1h" } }
            """;
        await guard.CloseAsync();
        CommandRun run = await ReplayAsync(guard.Log, Draft(rule), "--json");
        JsonElement changes = JsonDocument.Parse(run.Output).RootElement.GetProperty("changes");
        Assert.That(changes.GetProperty("newlyDenied").GetInt64(), Is.EqualTo(3), run.Output);
    }

    /// <summary>What is not told about was still sent then, and used up the rate of the others.</summary>
    [TestCase("--denied", 2)]
    [TestCase("--tool=echo", 4)]
    public async Task Replay_PartOfTheCalls_IsJudgedAsInTheWhole(string selection, int told)
    {
        const string rules = """
            "r": { "tools": ["*"], "effect": "allow", "rateLimit": { "permits": 2, "per": "1h" } }
            """;
        await using AuditFixture guard = Guard(static server => server.Allow("r", static rule => rule.Tools("*").RateLimit(2, TimeSpan.FromHours(1))));
        await LogAsync(guard, [.. Enumerable.Repeat(("echo", "{}"), 4)]);
        await guard.CloseAsync();
        CommandRun run = await ReplayAsync(guard.Log, Draft(rules), selection, "--json");
        JsonElement root = JsonDocument.Parse(run.Output).RootElement;
        Assert.That((run.ExitCode, root.GetProperty("calls").GetInt64(), root.GetProperty("changes").GetProperty("same").GetInt64()), Is.EqualTo((0, told, told)), run.Output);
    }

    [Test]
    public async Task Replay_DefinitionOfThen_IsWhatPinsAndSchemasAreComparedWith()
    {
        await using AuditFixture guard = Guard(server => server.Allow("all", rule => rule.Tools("*").RateLimit(1_000, TimeSpan.FromSeconds(1))));
        await LogAsync(guard, ("write", """{"n":5}"""), ("write", """{"n":"five"}"""));
        await guard.CloseAsync();
        string fingerprint = (await guard.ReadAsync()).First(static entry => entry.Kind == AuditKind.Intent && entry.ToRecord().Target == "write").ToRecord().Fingerprint!;
        string allow = "\"r\": { \"tools\": [\"write\"], \"effect\": \"allow\" }";
        foreach ((string pins, string now) in ((string, string)[])[($$""", "pins": { "write": "{{fingerprint}}" }""", "passes"), ($$""", "pins": { "write": "{{new string('0', 64)}}" }""", "denied tool-changed")])
        {
            CommandRun run = await ReplayAsync(guard.Log, Draft(allow, pins), "--json");
            JsonElement[] groups = [.. JsonDocument.Parse(run.Output).RootElement.GetProperty("groups").EnumerateArray().Where(static group => group.GetProperty("target").GetString() == "write")];
            Assert.That(groups.Single(static group => group.GetProperty("was").GetString() == "passed").GetProperty("now").GetString(), Is.EqualTo(now), run.Output);
            Assert.That(groups.Single(static group => group.GetProperty("was").GetString() == "denied arguments-invalid").GetProperty("change").GetString(), Is.EqualTo("same"), "no policy lets it pass");
        }
    }

    [TestCase("""{ "tools": ["other"], "effect": "deny" }""", "same", 0)]
    [TestCase("""{ "tools": ["other"], "effect": "ask" }""", "askedInsteadOfDenied", 0)]
    [TestCase("""{ "tools": ["other"], "effect": "allow", "rateLimit": { "permits": 2, "per": "1h" } }""", "newlyPasses", 1)]
    public async Task Replay_LogOfADryRun_CountsACallOnceAndAsThePolicyOfThenSaid(string rule, string change, int exitCode)
    {
        await using var guard = new AuditFixture(Then, static builder => builder.RunDry());
        await LogAsync(guard, ("other", """{"n":1}"""), ("other", """{"n":2}"""));
        JsonElement group = await GroupAsync(guard, Draft($"\"r\": {rule}"), "other", exitCode);
        Assert.Multiple(() =>
        {
            Assert.That(group.GetProperty("change").GetString(), Is.EqualTo(change));
            Assert.That(group.GetProperty("was").GetString(), Is.EqualTo("would-deny rule-denied, passed by a dry run"));
            Assert.That(group.GetProperty("calls").GetInt64(), Is.EqualTo(2));
        });
        Assert.That((await GroupAsync(guard, Draft($"\"r\": {rule}"), "other", exitCode, "--denied")).GetProperty("calls").GetInt64(), Is.EqualTo(2));
    }

    [Test]
    public async Task Replay_LogOfADryRun_WhatWouldAskCountsAsAskedAbout()
    {
        await using var guard = new AuditFixture(static server => server.Ask("ask", rule => rule.Tools("echo")), static builder => builder.RunDry());
        await LogAsync(guard, ("echo", "{}"));
        Assert.That(Of(await GroupAsync(guard, Draft("""
            "r": { "tools": ["echo"], "effect": "ask" }
            """), "echo", 0)), Is.EqualTo(("same", "asked")));
        Assert.That(Of(await GroupAsync(guard, Draft("""
            "r": { "tools": ["echo"], "effect": "allow" }
            """), "echo", 1)), Is.EqualTo(("newlyPasses", "passes")));
    }

    // ---- what the record does not hold ------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Replay_RedactedArguments_RuleThatLooksAtThem_CannotBeJudged()
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("echo", $$"""{"n":5,"token":"{{Secret}}"}"""));
        JsonElement group = await GroupAsync(
            guard, Draft("""
            "r": { "tools": ["echo"], "effect": "allow" }, "s": { "tools": ["echo"], "effect": "deny", "when": { "properties": { "n": { "const": 6 } }, "required": ["n"] } }
            """), "echo", 0);
        Assert.That(Of(group), Is.EqualTo(("cannotBeJudged", "unknown")));
        Assert.That(group.GetProperty("why").GetString(), Does.Contain("redacted or cut"));
    }

    [Test]
    public async Task Replay_RedactedArgumentsOfADeniedCall_RuleThatLooksAtThem_MayNewlyPassAndExit1()
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("other", $$"""{"token":"{{Secret}}"}"""));
        JsonElement group = await GroupAsync(
            guard, Draft("""
            "r": { "tools": ["other"], "effect": "deny", "when": { "properties": { "token": { "maxLength": 3 } } } }
            """), "other", 1);
        Assert.That(Of(group), Is.EqualTo(("mayNewlyPass", "unknown")));
    }

    [TestCase("redacted")]
    [TestCase("shape")]
    [TestCase("none")]
    public async Task Replay_ArgumentsNotKnown_NoRuleLooksAtThem_AreJudgedInPart(string mode)
    {
        await using AuditFixture guard = Guard(Then, policy: policy => policy.Audit("arguments", $"\"{mode}\""));
        await LogAsync(guard, ("echo", $$"""{"token":"{{Secret}}"}"""), ("other", $$"""{"token":"{{Secret}}"}"""));
        await guard.CloseAsync();
        CommandRun run = await ReplayAsync(
            guard.Log, Draft("""
            "a": { "tools": ["echo"], "effect": "ask" }, "b": { "tools": ["other"], "effect": "allow" }
            """), "--json");
        JsonElement root = JsonDocument.Parse(run.Output).RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.EqualTo(1), "the denied one newly passes, as far as can be said");
            Assert.That(root.GetProperty("changes").GetProperty("newlyPasses").GetInt64(), Is.EqualTo(1), run.Output);
            Assert.That(root.GetProperty("changes").GetProperty("newlyAsked").GetInt64(), Is.EqualTo(1));
            Assert.That(root.GetProperty("judgedInPart").GetInt64(), Is.EqualTo(2));
            Assert.That(run.Output + run.Error, Does.Not.Contain(Secret));
        });
    }

    [Test]
    public async Task Replay_WithoutTheKeyOfTheDigests_NoArgumentsCountAsWholeAndAWarningSaysSo()
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("echo", """{"n":5}"""));
        await guard.CloseAsync();
        File.Delete(Path.Combine(guard.Log, "digest.key"));
        CommandRun run = await ReplayAsync(guard.Log, Draft("""
            "r": { "tools": ["echo"], "effect": "allow", "require": { "properties": { "n": { "maximum": 3 } } } }
            """));
        Assert.That(run.ExitCode, Is.Zero);
        Assert.That(run.Error, Does.Contain("digest.key"));
        Assert.That(run.Output, Does.Contain("cannot be judged"));
    }

    [Test]
    public async Task Replay_ForgedArguments_DoNotCountAsWhole()
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("echo", """{"n":5}"""));
        await guard.CloseAsync();
        string segment = Directory.GetFiles(guard.Log, "audit-*.jsonl").Single();
        string text = await File.ReadAllTextAsync(segment);
        Assert.That(text, Does.Contain("{\"n\":5}"));
        await File.WriteAllTextAsync(segment, text.Replace("{\"n\":5}", "{\"n\":1}", StringComparison.Ordinal));
        JsonElement group = await GroupAsync(guard, Draft("""
            "r": { "tools": ["echo"], "effect": "allow", "require": { "properties": { "n": { "maximum": 3 } } } }
            """), "echo", 0);
        Assert.That(Of(group), Is.EqualTo(("cannotBeJudged", "unknown")));
    }

    [TestCase("")]
    [TestCase(" ")]
    public async Task Replay_RecordWithABlankMethod_IsDeniedAndTheOthersAreStillJudged(string method)
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("echo", """{"n":5}"""), ("other", "{}"));
        await guard.CloseAsync();
        string segment = Directory.GetFiles(guard.Log, "audit-*.jsonl").Single();
        string[] lines = await File.ReadAllLinesAsync(segment);
        string intent = lines.Single(static line => line.Contains("\"kind\":\"intent\"", StringComparison.Ordinal) && line.Contains("\"target\":\"echo\"", StringComparison.Ordinal));
        await File.WriteAllLinesAsync(segment, lines.Select(line => line == intent ? line.Replace("\"tools/call\"", $"\"{method}\"", StringComparison.Ordinal) : line));
        CommandRun run = await ReplayAsync(guard.Log, Draft("""
            "r": { "tools": ["other"], "effect": "allow" }
            """), "--json");
        Assert.That(run.ExitCode, Is.EqualTo(1), run.Output + run.Error);
        JsonElement changes = JsonDocument.Parse(run.Output).RootElement.GetProperty("changes");
        Assert.That((changes.GetProperty("newlyDenied").GetInt64(), changes.GetProperty("newlyPasses").GetInt64()), Is.EqualTo((1, 1)), run.Output);
    }

    [Test]
    public async Task Replay_LogWithoutARecord_IsBadInputAndNoVerdict()
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("echo", "{}"));
        await guard.CloseAsync();
        string segment = Directory.GetFiles(guard.Log, "audit-*.jsonl").Single();
        await File.WriteAllTextAsync(segment, "not a record\nnor this\n");
        CommandRun run = await ReplayAsync(guard.Log, Draft("""
            "r": { "tools": ["*"], "effect": "deny" }
            """));
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Output);
        Assert.That(run.Error, Does.Contain("no line of the log").And.Contain("audit verify"));
    }

    [Test]
    public async Task Replay_IgnoredCode_LeavesItsCallsOut()
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("other", "{}"));
        await guard.CloseAsync();
        CommandRun run = await ReplayAsync(guard.Log, Draft("""
            "r": { "tools": ["other"], "effect": "allow" }
            """), "--ignore", "rule-denied", "--json");
        Assert.That(run.ExitCode, Is.Zero, run.Output);
        Assert.That(JsonDocument.Parse(run.Output).RootElement.GetProperty("ignored").GetInt64(), Is.EqualTo(1));
    }

    // ---- the verb ---------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Replay_AsAProcess_StartsAndWritesNothingAndFits80Columns()
    {
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("echo", """{"n":5}"""), ("other", "{}"));
        await guard.CloseAsync();
        using var folder = new TemporaryFolder();
        string mark = folder.File("started");
        string state = folder.File("state");
        string draft = folder.File("draft.json");
        await File.WriteAllTextAsync(draft, $$"""
            { "stateDirectory": "{{state}}", "servers": { "test": { "command": "/bin/sh", "arguments": ["-c", "touch {{mark}}"], "isolation": { "mode": "none" },
              "rules": { "all": { "tools": ["*"], "effect": "allow", "rateLimit": { "permits": 100, "per": "1s" } } } } } }
            """);
        string before = Listing(guard.Log);
        CommandRun run = await GuardProcess.RunAsync(["replay", draft, "--audit", guard.Log]);
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
            Assert.That(run.Output, Does.Contain("newly passes").And.Contain("1  newly pass"));
            Assert.That(run.Output.Split('\n').Select(static line => line.Length), Has.All.LessThanOrEqualTo(80));
            Assert.That(run.Output, Does.Not.Contain("\u001b"));
            Assert.That(File.Exists(mark), Is.False);
            Assert.That(Directory.Exists(state), Is.False);
            Assert.That(Listing(guard.Log), Is.EqualTo(before));
        });

        static string Listing(string path) => string.Join('\n', Directory.GetFiles(path).Order(StringComparer.Ordinal).Select(static file => $"{file} {new FileInfo(file).Length} {File.GetLastWriteTimeUtc(file):O}"));
    }

    [Test]
    public async Task Replay_BadInput_OneMessageAndExit2()
    {
        using var folder = new TemporaryFolder();
        string policy = folder.File("p.json");
        await File.WriteAllTextAsync(policy, """{ "servers": {} }""");
        string broken = folder.File("broken.json");
        await File.WriteAllTextAsync(broken, """{ "servers": { "a": { "rool": 1 } } }""");
        await using AuditFixture guard = Guard(Then);
        await LogAsync(guard, ("echo", "{}"));
        await guard.CloseAsync();
        foreach (string[] arguments in (string[][])
                 [
                     ["replay", policy], ["replay", policy, "--audit", folder.File("none")], ["replay", policy, "--audit", policy], ["replay", folder.File("none.json"), "--audit", guard.Log],
                     ["replay", broken, "--audit", guard.Log], ["replay", policy, "--audit", guard.Log, "--since", "soon"],
                 ])
        {
            CommandRun run = await CommandRun.OfAsync([ReplayCommand.Create()], arguments);
            Assert.That(run.ExitCode, Is.EqualTo(2), string.Join(' ', arguments));
            Assert.That(run.Error, Does.Contain("mcp-guard").And.Not.Contain("   at "));
        }
    }

    [Test]
    public void ChangeOf_EveryPair_NeverHidesACallThatCouldPass([Values] PastVerdict past, [Values] ReplayDecision now)
    {
        ReplayChange change = ReplayReport.ChangeOf(past, now);
        bool loosens = change is ReplayChange.NewlyPasses or ReplayChange.MayNewlyPass;
        Assert.That(loosens, Is.EqualTo(past != PastVerdict.Passed && now is ReplayDecision.Allow or ReplayDecision.Unknown && past != PastVerdict.Passed));
        Assert.That(change == ReplayChange.Same, Is.EqualTo((past, now) is (PastVerdict.Denied, ReplayDecision.Deny) or (PastVerdict.Asked, ReplayDecision.Ask) or (PastVerdict.Passed, ReplayDecision.Allow)));
    }
}
