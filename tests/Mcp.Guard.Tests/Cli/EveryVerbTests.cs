using System.CommandLine;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Tests.Audit;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Cli;

/// <summary>
/// What holds for every verb, whatever it is given: 80 columns, one JSON value or nothing else on standard output, one message with a next step, exit 0, 1 or 2, never
/// a stack trace or a secret. The verbs and their arguments are found by themselves; an argument of a kind that is new here fails until it is given inputs.
/// </summary>
[TestFixture]
internal sealed class EveryVerbTests
{
    /// <summary>Secrets of several kinds, as they stand in policies, client configurations, addresses, records and variables. None may be printed.</summary>
    private static readonly string[] Secrets =
        ["ghp_0123456789abcdefghijABCDEFGHIJ012345", "sk-ant-api03-0123456789abcdefghijABCDEFGHIJ", "hunter2-in-a-url", "AKIAIOSFODNN7EXAMPLQ", "xoxb-123456789012-abcdefABCDEF"];

    private const int Columns = 80;

    private static string s_work = string.Empty;

    [OneTimeSetUp]
    public async Task MakeInputsAsync()
    {
        s_work = Directory.CreateTempSubdirectory("mcp-guard-verbs-").FullName;
        Environment.SetEnvironmentVariable("MCP_GUARD_TEST_SECRET", Secrets[0]);
        foreach ((string name, byte[] content) in Files())
        {
            await File.WriteAllBytesAsync(Path.Combine(s_work, name), content);
        }

        Directory.CreateDirectory(Path.Combine(s_work, "empty"));
        Directory.CreateDirectory(Path.Combine(s_work, "garbage"));
        await File.WriteAllTextAsync(Path.Combine(s_work, "garbage", "audit-00000001-20261124.jsonl"), "no record " + Secrets[0] + "\n{\"half\":");
        MakeReadOnlyFolder(Path.Combine(s_work, "read-only"));
        foreach (string name in (string[])["log", "damaged"])
        {
            await WriteLogAsync(Path.Combine(s_work, name));
        }

        string segment = Directory.EnumerateFiles(Path.Combine(s_work, "damaged"), "audit-*").First();
        await File.WriteAllTextAsync(segment, (await File.ReadAllTextAsync(segment)).Replace("\"ada\"", "\"eve\"", StringComparison.Ordinal));
    }

    /// <summary>Rights do not hold root back, and mounting is not everywhere permitted: root gets a folder of a file system in which nobody can make a file.</summary>
    private static void MakeReadOnlyFolder(string path)
    {
        if (IsRoot)
        {
            Directory.CreateSymbolicLink(path, "/sys/kernel");
            return;
        }

        Directory.CreateDirectory(path);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }

    private static bool IsRoot => OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess;

    [OneTimeTearDown]
    public void RemoveInputs()
    {
        Environment.SetEnvironmentVariable("MCP_GUARD_TEST_SECRET", null);
        if (!OperatingSystem.IsWindows() && !IsRoot)
        {
            File.SetUnixFileMode(Path.Combine(s_work, "read-only"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Directory.Delete(s_work, recursive: true);
    }

    // ---- the inputs -------------------------------------------------------------------------------------------------------------------------

    private static IEnumerable<(string Name, byte[] Content)> Files()
    {
        string server(string members) => $$"""{ "stateDirectory": "{{s_work}}/state", "servers": { "files": { {{members}} } } }""";
        yield return ("file", "not a folder"u8.ToArray());
        yield return ("nothing.json", []);
        yield return ("half.json", "{ \"servers\": {"u8.ToArray());
        yield return ("binary.json", [0, 1, 2, 0xFF, 0xFE, 0x1B, (byte)'[', (byte)'2', (byte)'J']);
        yield return ("array.json", "[]"u8.ToArray());
        yield return ("deep.json", Encoding.UTF8.GetBytes(new string('[', 5000) + new string(']', 5000)));
        yield return ("twice.json", "{ \"servers\": {}, \"servers\": {} }"u8.ToArray());
        yield return ("no-servers.json", "{ \"servers\": {} }"u8.ToArray());
        yield return ("unknown-key.json", Encoding.UTF8.GetBytes($$"""{ "servers": {}, "tokken": "{{Secrets[0]}}" }"""));
        yield return ("wrong-type.json", Encoding.UTF8.GetBytes($$"""{ "servers": { "files": { "command": ["{{Secrets[0]}}"], "url": 3 } } }"""));
        yield return ("mark.json", [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(server("\"hostProvided\": true"))]);
        yield return ("mark-only.json", [0xEF, 0xBB, 0xBF]);
        yield return ("utf16.json", Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("{}")).ToArray());
        yield return ("dies.json", Encoding.UTF8.GetBytes(server($$"""
            "command": "/bin/false", "arguments": ["--token={{Secrets[0]}}"], "environment": { "API_KEY": "{{Secrets[1]}}", "OTHER": { "secret": "MCP_GUARD_TEST_SECRET" } }, "isolation": { "mode": "none" }
            """)));
        yield return ("absent.json", Encoding.UTF8.GetBytes(server("\"command\": \"/nonexistent/program\", \"isolation\": { \"mode\": \"none\" }")));
        yield return ("address.json", Encoding.UTF8.GetBytes(server($"\"url\": \"https://ada:{Secrets[2]}@127.0.0.1:9/mcp?key={Secrets[3]}\"")));
        yield return ("headers.json", Encoding.UTF8.GetBytes(server($"\"url\": \"https://127.0.0.1:9/mcp?access_token={Secrets[2]}\", \"headers\": {{ \"Authorization\": \"Bearer {Secrets[4]}\" }}")));
        yield return ("good.json", Encoding.UTF8.GetBytes(server("\"hostProvided\": true, \"rules\": { \"r\": { \"tools\": [\"read_*\"], \"effect\": \"allow\" } }")));
        yield return ("container.json", Encoding.UTF8.GetBytes(server($$"""
            "command": "/bin/server", "isolation": { "mode": "container", "image": "example.com/server@sha256:{{new string('a', 64)}}" }
            """)));
        yield return ("client.json", Encoding.UTF8.GetBytes($$"""
            { "mcpServers": {
              "a": { "command": "/bin/false", "args": ["--token", "{{Secrets[0]}}"], "env": { "API_KEY": "{{Secrets[1]}}" } },
              "b": { "url": "https://ada:{{Secrets[2]}}@127.0.0.1:9/mcp?key={{Secrets[3]}}", "headers": { "Authorization": "Bearer {{Secrets[4]}}" } },
              "c": { "command": "npx", "args": ["-y", "no-such-package@1.0.0"] } } }
            """));
    }

    private static async Task WriteLogAsync(string folder)
    {
        var options = new AuditFileOptions { Directory = folder };
        await using var sink = new AuditFileSink(options, new FakeTimeProvider(AuditSamples.Noon));
        await sink.StartAsync(CancellationToken.None);
        await sink.WriteAsync(AuditSamples.Intent(AuditSamples.Id(1)), CancellationToken.None);
        await sink.WriteAsync(AuditSamples.Outcome(AuditSamples.Id(1)), CancellationToken.None);
        await sink.WriteAsync(AuditSamples.Denial(AuditSamples.Id(2)), CancellationToken.None);
    }

    private static readonly string[] BadFiles =
    [
        "missing.json", "no/such/folder/x.json", "empty", "nothing.json", "half.json", "binary.json", "array.json", "deep.json", "twice.json", "no-servers.json", "unknown-key.json", "wrong-type.json",
        "mark.json", "mark-only.json", "utf16.json", "dies.json", "absent.json", "address.json", "headers.json", "good.json", "nul\0.json", "@file", "\u001b[2J\u202e.json",
    ];

    private static readonly string[] Folders = ["missing", "file", "empty", "garbage", "log", "damaged", "read-only", "nul\0", "\u001b[2J\u202e"];

    /// <summary>What an argument of a verb is given, by its name in the help. An argument that is not here fails the test that looks for it.</summary>
    private static string[]? InputsOf(string argument) => argument switch
    {
        "POLICY" => BadFiles,
        "DIR" => Folders,
        "KIND" => ["path", "url", "text", "no-such-kind", "\u001b[2J"],
        "SHELL" => ["bash", "zsh", "pwsh", "no-such-shell", "\u001b[2J"],
        "ARGUMENTS" => ["/bin/false", "/nonexistent/program"],
        _ => null,
    };

    /// <summary>Further lines: what an option makes of a verb. Names of files are those above.</summary>
    private static IEnumerable<string[]> MoreLines()
    {
        yield return ["init"];
        yield return ["init", "--unisolated", "-o", "made.json", "--command", "/bin/false"];
        yield return ["init", "--unisolated", "-o", "made.json", "--command", "/bin/false", "--env", $"API_KEY={Secrets[0]}", "--", "--token", Secrets[1], $"https://ada:{Secrets[2]}@127.0.0.1/"];
        yield return ["init", "--unisolated", "-o", "read-only/made.json", "--command", "/bin/false"];
        yield return ["init", "--unisolated", "-o", "no/such/folder/made.json", "--command", "/bin/false"];
        yield return ["init", "--unisolated", "-o", "good.json", "--command", "/bin/false"];
        yield return ["init", "--unisolated", "-o", "empty", "--command", "/bin/false"];
        yield return ["init", "-o", "made.json", "--url", $"http://ada:{Secrets[2]}@127.0.0.1:9/mcp?key={Secrets[3]}"];
        yield return ["init", "-o", "made.json", "--url", "no address"];
        yield return ["init", "-o", "made.json", "--command", "/bin/false", "--url", "http://127.0.0.1:9/"];
        yield return ["init", "-o", "made.json", "--command", "/bin/false", "--root", "no/such/folder"];
        yield return ["init", "-o", "made.json", "--package", "not a package"];
        yield return ["init", "-o", "made.json", "--unisolated", "--yes", "--npm-registry", "http://127.0.0.1:9/", "--package-store", "store", "--from", "client.json"];
        foreach (string file in BadFiles)
        {
            yield return ["init", "-o", "made.json", "--from", file];
        }

        foreach (string file in (string[])["dies.json", "absent.json", "headers.json"])
        {
            yield return ["check", file, "--against", "files"];
            yield return ["check", file, "--strict"];
            yield return ["check", file, "--against", "no-such-server"];
        }

        yield return ["install", "good.json", "--check"];
        yield return ["compose", "good.json", "-o", "read-only/compose.yaml"];
        yield return ["audit", "show", "log", "--since", "yesterday-ish"];
        yield return ["audit", "show", "log", "--details"];
        yield return ["audit", "show", "log", "--limit", "-1"];
        yield return ["audit", "export", "log", "--format", "ocsf"];
        yield return ["audit", "export", "log", "--format", "no-such-format"];
        yield return ["audit", "export", "log", "-o", "read-only/out.jsonl"];
        yield return ["audit", "export", "log", "-o", "empty"];
        yield return ["audit", "verify", "log", "--key-secret", "NO_SUCH_VARIABLE"];
        yield return ["audit", "verify", "log", "--key-secret", "MCP_GUARD_TEST_SECRET"];
        yield return ["audit", "verify", "log", "--checkpoints", "missing.json"];
        yield return ["audit", "verify", "log", "--checkpoints", "good.json"];
        yield return ["audit", "verify", "log", "--checkpoints", "empty"];
        yield return ["audit", "verify", "log", "--checkpoint-key-secret", "NO_SUCH_VARIABLE"];
        foreach (string folder in Folders)
        {
            yield return ["replay", "good.json", "--audit", folder];
        }

        yield return ["run", "good.json", "--http", "70000"];
        yield return ["run", "good.json", "--token-file", "x"];
        yield return ["run", "good.json", "--http", "--token-file", "read-only/tokens", "--caller", "ada", "--caller", "ada"];
    }

    /// <summary>Of these a fault of the policy is all that can be seen in this process: with a policy that can be served they serve (RunTests does).</summary>
    private static bool Serves(string[] line) => line is ["run", "dies.json" or "absent.json" or "address.json" or "headers.json"];

    private static IEnumerable<(string Name, Command Command)> Leaves(IEnumerable<Command> commands, string before = "")
    {
        foreach (Command command in commands)
        {
            string name = (before + " " + command.Name).TrimStart();
            if (command.Subcommands.Count == 0)
            {
                yield return (name, command);
            }

            foreach ((string, Command) leaf in Leaves(command.Subcommands, name))
            {
                yield return leaf;
            }
        }
    }

    private static IEnumerable<string> EveryVerb() => Leaves(Verbs.All()).Select(static leaf => leaf.Name);

    private static IEnumerable<TestCaseData> EveryLine()
    {
        IEnumerable<string[]> lines = Leaves(Verbs.All()).SelectMany(static leaf =>
        {
            string[] verb = leaf.Name.Split(' ');
            string[] required = [.. leaf.Command.Options.Where(static option => option.Required).SelectMany(static option => new[] { option.Name, "log" })];
            return leaf.Command.Arguments.Count == 0 ? [verb] : (InputsOf(leaf.Command.Arguments[0].Name) ?? []).Select(input => (string[])[.. verb, input, .. required]);
        });
        foreach (string[] line in lines.Concat(MoreLines()).Where(static line => !Serves(line)))
        {
            foreach (bool json in (bool[])[false, true])
            {
                string[] whole = json ? [.. line[..1], "--json", .. line[1..]] : line;
                yield return new TestCaseData([whole]).SetArgDisplayNames(string.Join(' ', whole.Select(static part => part.Replace("\0", "\\0", StringComparison.Ordinal).Replace("\u001b", "\\e", StringComparison.Ordinal))));
            }
        }
    }

    // ---- what holds -------------------------------------------------------------------------------------------------------------------------

    [TestCaseSource(nameof(EveryVerb))]
    public void Arguments_OfEveryVerb_HaveInputsHere(string verb)
    {
        Command command = Leaves(Verbs.All()).Single(leaf => leaf.Name == verb).Command;
        foreach (Argument argument in command.Arguments)
        {
            Assert.That(InputsOf(argument.Name), Is.Not.Null.And.Not.Empty, $"'{verb}' has the argument {argument.Name}, which this test has no bad input for: add it to {nameof(InputsOf)}");
        }
    }

    [TestCaseSource(nameof(EveryVerb))]
    public async Task Help_OfEveryVerb_HasExamplesAndFits(string verb)
    {
        CommandRun run = await CommandRun.OfAsync(Verbs.All(), [.. verb.Split(' '), "--help"], isTerminal: true);
        Assert.Multiple(() =>
        {
            Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, string.Empty)));
            Assert.That(run.Output, Does.Contain("Examples:\n  ").And.Contain("mcp-guard " + verb));
            AssertFits(run.Output);
        });
    }

    [TestCaseSource(nameof(EveryVerb))]
    public async Task Usage_OfEveryVerb_IsOneMessage(string verb)
    {
        foreach (string[] options in (string[][])[["--no-such-option"], ["--no-such-option", "--json"]])
        {
            CommandRun run = await CommandRun.OfAsync(Verbs.All(), [.. verb.Split(' '), "x", "y", "z", .. options], isTerminal: true);
            AssertHolds([verb, .. options], run);
            Assert.That(run.ExitCode, Is.EqualTo(2).Or.Zero.And.EqualTo(verb == "init" ? run.ExitCode : 2));
        }
    }

    [TestCaseSource(nameof(EveryLine))]
    [CancelAfter(120_000)]
    public async Task Run_OfEveryVerb_Holds(string[] line)
    {
        CommandRun run = await CommandRun.OfAsync(Verbs.All(), [.. line.Select(Located)], line.Contains("explain") ? "{\"id\":1}\nnonsense\n" : string.Empty, isTerminal: true);
        AssertHolds(line, run);
    }

    [TestCase("audit", "export", "log", "-o", "read-only/out.jsonl")]
    [TestCase("compose", "container.json", "-o", "read-only/compose.yaml")]
    public async Task Run_OutputIntoAFolderThatTakesNone_SaysWhichFileAndExitTwo(params string[] line)
    {
        string folder = Path.Combine(s_work, "read-only");
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("a folder of Windows that is marked read-only takes files");
        }

        Assert.That(() => File.WriteAllText(Path.Combine(folder, "probe"), "x"), Throws.Exception, "else this tests nothing");
        CommandRun run = await CommandRun.OfAsync(Verbs.All(), [.. line.Select(Located)], isTerminal: true);
        AssertHolds(line, run);
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((2, string.Empty)), run.Error);
        Assert.That(run.Error.ReplaceLineEndings(" "), Does.Contain(Path.GetFileName(line[^1])));
    }

    /// <summary>Names of the inputs become paths; everything else stays.</summary>
    private static string Located(string part, int position)
    {
        string name = part.Split('/')[0];
        bool isInput = position > 0 && (BadFiles.Contains(part) || Folders.Contains(part) || Path.Exists(Path.Combine(s_work, name)) || part.EndsWith("made.json", StringComparison.Ordinal) || part is "store" or "client.json")
            && !EveryVerb().Any(verb => verb.Split(' ').Contains(part));
        return isInput && part.Length > 0 && part[0] is not ('-' or '@') ? Path.Combine(s_work, part) : part;
    }

    private static void AssertHolds(string[] line, CommandRun run)
    {
        string told = $"exit {run.ExitCode}\n--- out\n{run.Output}\n--- error\n{run.Error}";
        string verb = string.Join(' ', line.Where(static part => part != "--json").Take(line[0] == "audit" ? 2 : 1));
        bool json = line.Contains("--json");

        // That there is nothing to verify is a verdict too, and told as one.
        bool isVerdict = verb == "audit verify" && run.Error.Length == 0;
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.InRange(0, 2), told);
            Assert.That(run.Error, Does.Not.Contain("   at ").And.Not.Contain("mcp-guard itself failed").And.Not.Contain("Exception"), told);
            foreach (string secret in Secrets)
            {
                Assert.That(run.Output + run.Error, Does.Not.Contain(secret), told);
            }

            Assert.That((run.Output + run.Error).Where(static c => c is < ' ' and not '\n' or '\u007f' or '\u202e'), Is.Empty, "nothing that moves a cursor");
            AssertFits(run.Error);
            if (run.ExitCode == 2 && !isVerdict)
            {
                Assert.That(run.Error, Does.Match(@"(?m)^mcp-guard[a-z ]*: "), told);
            }

            if (json)
            {
                AssertIsJson(verb, run, told, isOneValue: line.Contains("-o"));
            }
            else
            {
                Assert.That(run.Output.Length == 0 || run.ExitCode != 2 || isVerdict || verb is "install" or "init" || line.Contains("--against"), Is.True, "a fault leaves no result but that of an earlier step: " + told);
                if (verb is not ("compose" or "completions" or "explain" or "audit export"))
                {
                    AssertFits(run.Output);
                }

                if (run.ExitCode == 2 && run.Output.Length == 0)
                {
                    string[] lines = run.Error.TrimEnd('\n').Split('\n');
                    int at = Array.FindIndex(lines, static text => text.StartsWith("mcp-guard", StringComparison.Ordinal));
                    Assert.That(at >= 0 && lines.Length > at + 1, Is.True, "the message is followed by a next step: " + told);
                }
            }
        });
    }

    private static void AssertIsJson(string verb, CommandRun run, string told, bool isOneValue)
    {
        if (verb is "audit show" or "audit export" or "explain" && run.ExitCode != 2 && !isOneValue)
        {
            foreach (string record in run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                Assert.That(() => JsonDocument.Parse(record), Throws.Nothing, told);
            }

            return;
        }

        JsonElement whole = default;
        Assert.That(() => whole = JsonElement.Parse(run.Output), Throws.Nothing, told);
        if (run.ExitCode == 2 && whole.ValueKind == JsonValueKind.Object && whole.TryGetProperty("error", out JsonElement error))
        {
            Assert.That(error.GetProperty("message").GetString(), Is.Not.Empty, told);
            Assert.That(error.GetProperty("next").GetString(), Is.Not.Empty, "a next step: " + told);
        }
    }

    /// <summary>Lines fit; only what cannot be broken, a word longer than a line, stands alone on a longer one.</summary>
    private static void AssertFits(string text)
    {
        foreach (string line in text.Split('\n').Where(static line => line.Length > Columns))
        {
            Assert.That(line.Trim().Split(' '), Has.Length.EqualTo(1), $"{line.Length} columns: {line}");
        }
    }
}
