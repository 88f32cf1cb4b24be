using System.CommandLine;
using System.Text.Json;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Isolation;
using Mcp.Guard.Packages;

namespace Mcp.Guard.Tests.Cli;

/// <summary>What every verb has in common: usage, help, faults, tables, JSON, colours.</summary>
[TestFixture]
internal sealed class CommandLineTests
{
    private static readonly GuardPolicyError Error = new("/srv/p.json", 3, 7, "/servers/a/rool", "unknown key 'rool'", "Did you mean 'rules'");

    [TestCase]
    [TestCase("nonsense")]
    [TestCase("--nonsense")]
    [TestCase("say")]
    [TestCase("say", "a", "b")]
    [TestCase("say", "a", "--count", "many")]
    public async Task Run_BadUsage_IsOneMessageOnStandardErrorAndExit2(params string[] arguments)
    {
        CommandRun run = await RunAsync(arguments, _ => ExitCodes.Done);
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.EqualTo(2));
            Assert.That(run.Output, Is.Empty);
            Assert.That(run.Error, Does.StartWith("mcp-guard").And.Contain("--help"));
            Assert.That(run.Error, Does.Not.Contain("   at "));
        });
    }

    [Test]
    public async Task Run_ArgumentWithAnAtSign_IsNoResponseFile()
    {
        string? given = null;
        var word = new Argument<string>("WORD");
        var verb = new Verb("say", "Says.") { word };
        verb.Runs((parsed, _, _) =>
        {
            given = parsed.GetValue(word);
            return Task.FromResult(0);
        });
        CommandRun run = await CommandRun.OfAsync([verb], ["say", "@modelcontextprotocol/server-filesystem"]);
        Assert.That((run.ExitCode, given), Is.EqualTo((0, "@modelcontextprotocol/server-filesystem")), run.Error);
    }

    [Test]
    public async Task Help_OfAVerb_EndsWithItsExamples()
    {
        CommandRun run = await RunAsync(["say", "--help"], _ => ExitCodes.Done);
        Assert.That(run.ExitCode, Is.Zero);
        Assert.That(run.Output, Does.Contain("--json").And.Contain("Examples:").And.Contain("  mcp-guard say hello"));
    }

    [Test]
    public async Task Help_OfTheCommand_NamesEachVerb()
    {
        CommandRun run = await RunAsync(["--help"], _ => ExitCodes.Done);
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, string.Empty)));
        Assert.That(run.Output, Does.Contain("say"));
    }

    private static IEnumerable<TestCaseData> Faults()
    {
        yield return new TestCaseData(new CommandFault("no such thing", "Do this."), 2, "no such thing");
        yield return new TestCaseData(new CommandFault("not the same", exitCode: 1), 1, "not the same");
        yield return new TestCaseData(new McpGuardPolicyException([Error]), 2, "/srv/p.json(3,7): /servers/a/rool: unknown key 'rool'. Did you mean 'rules'.");
        yield return new TestCaseData(new IsolationException("a", IsolationFault.ModeUnavailable, "bwrap is not there", "Install bubblewrap"), 2, "Install bubblewrap");
        yield return new TestCaseData(new PackageException("not in the store"), 2, "not in the store");
        yield return new TestCaseData(new FileNotFoundException("x", "/srv/none.json"), 2, "/srv/none.json");
        yield return new TestCaseData(new UnauthorizedAccessException("denied"), 2, "denied");
        yield return new TestCaseData(new JsonException("bad", null, 4, 1), 2, "line 5");
        yield return new TestCaseData(new McpGuardException("server-unavailable: x", new InvalidOperationException("ghp_abcdefghijklmnopqrstuvwxyz0123456789")), 2, "server-unavailable");
        yield return new TestCaseData(new OperationCanceledException(), 2, "cancelled");
        yield return new TestCaseData(new InvalidOperationException("surprise \u001b[2J"), 2, "mcp-guard itself failed");
    }

    [TestCaseSource(nameof(Faults))]
    public async Task Run_Fault_IsOneMessageWithoutAStackTrace(Exception fault, int code, string expected)
    {
        CommandRun text = await RunAsync(["say", "x"], _ => throw fault);
        CommandRun json = await RunAsync(["say", "x", "--json"], _ => throw fault);
        Assert.Multiple(() =>
        {
            Assert.That(text.ExitCode, Is.EqualTo(code));
            Assert.That(text.Output, Is.Empty);
            Assert.That(text.Error, Does.Contain("mcp-guard say: ").And.Contain(expected));
            Assert.That(text.Error, Does.Not.Contain("   at ").And.Not.Contain("\u001b").And.Not.Contain("ghp_abcdefghij"));
            Assert.That(json.ExitCode, Is.EqualTo(code));
            Assert.That(JsonDocument.Parse(json.Output).RootElement.GetProperty("error").GetProperty("message").GetString(), Is.Not.Empty);
        });
    }

    [Test]
    public async Task Fault_OfAPolicyWithJson_NamesLineColumnAndFix()
    {
        CommandRun run = await RunAsync(["say", "x", "--json"], _ => throw new McpGuardPolicyException([Error]));
        JsonElement error = JsonDocument.Parse(run.Output).RootElement.GetProperty("error").GetProperty("errors")[0];
        Assert.That(
            (error.GetProperty("line").GetInt32(), error.GetProperty("column").GetInt32(), error.GetProperty("location").GetString(), error.GetProperty("fix").GetString()),
            Is.EqualTo((3, 7, "/servers/a/rool", "Did you mean 'rules'")));
    }

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(true, true)]
    public async Task Write_HostileCells_NoEscapeButTheGuardsOwnAndAtMost80Columns(bool isTerminal, bool colours)
    {
        CommandRun run = await RunAsync(
            ["say", "x"],
            terminal =>
            {
                var table = new TerminalTable("tool", "what", "why");
                table.Add(new TerminalCell("read_\u001b[31mfile", Tone.Good), "[red]markup[/] :skull:", new string('w', 300) + " words words words words words words words words");
                table.Add("a\u202eb", "line\nmcp-guard: ok", "\u001b]8;;http://evil.example\u0007link");
                terminal.Write(table);
                terminal.Line("[bold]no markup[/] \u001b[2J", Tone.Bad);
                return ExitCodes.Done;
            },
            isTerminal,
            colours);
        Assert.Multiple(() =>
        {
            Assert.That(run.Output, Does.Contain("[bold]no markup[/]"));
            Assert.That(run.Output, Does.Contain("\\u{1b}"));
            Assert.That(run.Output, Does.Not.Contain("\u001b[2J").And.Not.Contain("\u001b[31mfile").And.Not.Contain("\u202e").And.Not.Contain("\u001b]8"));
            Assert.That(run.Output, Does.Not.Contain("\nmcp-guard: ok"));
            if (!colours)
            {
                Assert.That(run.Output, Does.Not.Contain("\u001b"));
                Assert.That(run.Output.Split('\n').Select(line => line.Length), Has.All.LessThanOrEqualTo(80));
            }
        });
    }

    [Test]
    public async Task Json_Asked_IsTheOnlyOutput()
    {
        CommandRun run = await RunAsync(
            ["say", "x", "--json"],
            terminal =>
            {
                terminal.Line("text");
                terminal.Write(new TerminalTable("a"));
                terminal.Json(json => json.WriteString("name", "\u001b\u202e"));
                return ExitCodes.Done;
            });
        Assert.That(JsonDocument.Parse(run.Output).RootElement.GetProperty("name").GetString(), Is.EqualTo("\u001b\u202e"));
        Assert.That(run.Output, Does.Not.Contain("\u001b").And.Not.Contain("\u202e"));
    }

    [TestCase("y\n", true)]
    [TestCase("YES\n", true)]
    [TestCase("n\n", false)]
    [TestCase("", false)]
    [TestCase("yy\n", false)]
    [TestCase("\n", false)]
    public async Task Confirm_OnlyYes_IsYes(string input, bool expected)
    {
        bool? answer = null;
        CommandRun run = await RunAsync(
            ["say", "x"],
            terminal =>
            {
                answer = terminal.Confirm("Start \u001b[2J?");
                return ExitCodes.Done;
            },
            input: input);
        Assert.That(answer, Is.EqualTo(expected));
        Assert.That(run.Error, Does.Contain("Start \\u{1b}[2J? [y/N]").And.Not.Contain("\u001b"));
    }

    private static Task<CommandRun> RunAsync(string[] arguments, Func<CommandTerminal, int> act, bool isTerminal = false, bool colours = false, string input = "")
    {
        var verb = new Verb("say", "Says a word.", "mcp-guard say hello") { new Argument<string>("WORD"), new Option<int>("--count") };
        verb.Runs((_, terminal, _) => Task.FromResult(act(terminal)));
        return CommandRun.OfAsync([verb], arguments, input, isTerminal, colours);
    }
}
