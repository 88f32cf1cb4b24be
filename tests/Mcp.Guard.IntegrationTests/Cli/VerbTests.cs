using System.Text.Json;

namespace Mcp.Guard.IntegrationTests.Cli;

/// <summary>Every verb on bad input, as a process: one clear message, exit 2, never a stack trace.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class VerbTests : IDisposable
{
    private readonly CliFolder _folder = new();

    [SetUp]
    public void Make()
    {
        _folder.Write("good.json", """{ "servers": { "s": { "url": "https://mcp.example.com/mcp" } } }""");
        _folder.Write("not.json", "{ \"servers\": ");
        _folder.Write("wrong.json", """
            { "servers": { "s": { "url": "https://mcp.example.com/mcp", "rool": {} } } }
            """);
    }

    public void Dispose() => _folder.Dispose();

    [TestCase("check", "none.json", 2, "there is no file")]
    [TestCase("check", ".", 2, "is a folder")]
    [TestCase("check", "not.json", 2, "not.json(1,")]
    [TestCase("check", "wrong.json", 1, "wrong.json(1,61): /servers/s/rool: unknown key")]
    [TestCase("install", "none.json", 2, "there is no file")]
    [TestCase("install", "not.json", 2, "not.json(1,")]
    [TestCase("install", "wrong.json", 2, "/servers/s/rool")]
    [TestCase("compose", "none.json", 2, "there is no file")]
    [TestCase("compose", "wrong.json", 2, "/servers/s/rool")]
    [TestCase("compose", "good.json", 2, "no server of the policy runs in a container")]
    [TestCase("completions", "cmd", 2, "cmd")]
    [TestCase("explain", "nothing", 2, "unknown kind")]
    [TestCase("nonsense", "good.json", 2, "nonsense")]
    public async Task Verb_BadInput_IsOneMessageOnStandardError(string verb, string argument, int code, string message)
    {
        McpGuardProcess run = await RunAsync(verb, argument);
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.EqualTo(code), run.Both);
            Assert.That(run.Output, Is.Empty);
            Assert.That(run.Error, Does.Contain(message).And.Contain("mcp-guard"));
            Assert.That(run.Error, Does.Not.Match(@"\n +at "));
        });
    }

    [Test]
    public async Task Check_UnknownServer_NamesThoseThereAre()
    {
        McpGuardProcess run = await RunAsync("check", "good.json", "--against", "other");
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("names no server 'other'").And.Contain("It names s."));
    }

    [Test]
    public async Task Check_UrlThatNobodyServes_IsOneMessageAndExit2()
    {
        _folder.Write("nobody.json", """{ "servers": { "s": { "url": "http://127.0.0.1:9/mcp" } } }""");
        McpGuardProcess run = await RunAsync("check", "nobody.json", "--against", "s", "--timeout", "20");
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Both);
        Assert.That(run.Error, Does.Contain("the server 's' did not start").And.Not.Match(@"\n +at "));
    }

    [Test]
    public async Task Check_ErrorWithJson_IsOneJsonValueWithThePlace()
    {
        McpGuardProcess run = await RunAsync("check", "wrong.json", "--json");
        JsonElement error = JsonDocument.Parse(run.Output).RootElement.GetProperty("error").GetProperty("errors")[0];
        Assert.That((run.ExitCode, error.GetProperty("line").GetInt32(), error.GetProperty("location").GetString()), Is.EqualTo((1, 1, "/servers/s/rool")));
    }

    [TestCase("", "init")]
    [TestCase("ch", "check")]
    [TestCase("check --str", "--strict")]
    [TestCase("completions ", "bash")]
    public async Task Suggest_Line_NamesWhatFits(string line, string expected)
    {
        McpGuardProcess run = await RunAsync($"[suggest:{line.Length}]", line);
        Assert.That(run.ExitCode, Is.Zero, run.Both);
        Assert.That(run.Output.Split('\n').Select(word => word.Trim()), Does.Contain(expected));
    }

    [Test]
    public async Task Completions_Bash_CompletesInARealShell()
    {
        if (!File.Exists("/bin/bash"))
        {
            Assert.Ignore("needs bash");
        }

        McpGuardProcess script = await RunAsync("completions", "bash");
        Assert.That(script.ExitCode, Is.Zero);
        string test = script.Output + $$"""
            mcp-guard() { dotnet '{{McpGuardProcess.Library}}' "$@"; }
            COMP_LINE="mcp-guard check --st"; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(mcp-guard check --st); COMP_CWORD=2
            _mcp_guard; printf '%s\n' "${COMPREPLY[@]}"
            """;
        _folder.Write("test.sh", test);
        using System.Diagnostics.Process bash = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("/bin/bash", [_folder["test.sh"]]) { RedirectStandardOutput = true })!;
        string completed = await bash.StandardOutput.ReadToEndAsync();
        Assert.That(completed.Trim(), Is.EqualTo("--strict"));
    }

    [Test]
    public async Task Completions_Zsh_CompletesAtTheKeyboardOfARealShell()
    {
        string? zsh = Find("zsh");
        if (OperatingSystem.IsWindows() || zsh is null || Find("python3") is not { } python)
        {
            Assert.Ignore("needs zsh, and python3 for the terminal that it completes in");
            return;
        }

        // Typed as a person types it: the shell's own completion, in a terminal.
        _folder.Write("type.py", """
            import os, pty, select, sys, time
            pid, terminal = pty.fork()
            if pid == 0:
                os.execvpe(sys.argv[1], ["zsh", "-f", "-i"], {**os.environ, "PATH": sys.argv[2] + ":" + os.environ["PATH"], "TERM": "dumb", "PS1": "ready> "})
            shown = b""
            def until(text, seconds=60):
                global shown
                end = time.monotonic() + seconds
                while text not in shown and time.monotonic() < end:
                    if select.select([terminal], [], [], 1)[0]:
                        shown += os.read(terminal, 65536)
                return text in shown
            until(b"ready> ")
            os.write(terminal, b"autoload -Uz compinit && compinit -u -D && eval \"$(mcp-guard completions zsh)\" && echo do''ne\n")
            until(b"done\r\n")
            os.write(terminal, b"mcp-guard check --st\t")
            found = until(b"--strict")
            os.kill(pid, 9)
            print("completed" if found else shown.decode("utf-8", "replace"))
            """);
        string bin = Directory.CreateDirectory(_folder["bin"]).FullName;
        string command = Path.Combine(bin, "mcp-guard");
        await File.WriteAllTextAsync(command, $"#!/bin/sh\nexec dotnet '{McpGuardProcess.Library}' \"$@\"\n");
        File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.That(await OutputOfAsync(python, _folder["type.py"], zsh, bin), Is.EqualTo("completed"));
    }

    [Test]
    public async Task Completions_PowerShell_CompletesInARealShell()
    {
        if (Find("pwsh") is not { } pwsh)
        {
            Assert.Ignore("needs PowerShell (dotnet tool install --global PowerShell)");
            return;
        }

        // PowerShell completes the arguments of a function of that name as those of the program.
        _folder.Write("test.ps1", $$"""
            function mcp-guard { dotnet '{{McpGuardProcess.Library}}' @args }
            mcp-guard completions pwsh | Out-String | Invoke-Expression
            $line = 'mcp-guard check --st'
            (TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches | ForEach-Object { $_.CompletionText }
            """);
        Assert.That(await OutputOfAsync(pwsh, "-NoProfile", "-NonInteractive", "-File", _folder["test.ps1"]), Is.EqualTo("--strict"));
    }

    [Test]
    public async Task Verb_NoTerminal_WritesNoEscapeAndNoWideTable()
    {
        McpGuardProcess run = await McpGuardProcess.RunAsync(_folder.FullPath, ["check", "good.json"], environment: new Dictionary<string, string> { ["TERM"] = "xterm-256color", ["COLORTERM"] = "truecolor" });
        Assert.That(run.ExitCode, Is.Zero, run.Both);
        Assert.That(run.Both, Does.Not.Contain("\u001b"));
    }

    [TestCase("", true)]
    [TestCase("1", false)]
    public async Task Verb_Terminal_HasColoursUnlessNoColorIsSet(string noColor, bool coloured)
    {
        if (!File.Exists("/usr/bin/script"))
        {
            Assert.Ignore("needs script (util-linux), which makes a terminal");
        }

        var start = new System.Diagnostics.ProcessStartInfo("/usr/bin/script", ["-qec", $"dotnet '{McpGuardProcess.Library}' check good.json", "/dev/null"])
        {
            WorkingDirectory = _folder.FullPath,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        start.Environment["TERM"] = "xterm";
        start.Environment["NO_COLOR"] = noColor;
        start.Environment["XDG_STATE_HOME"] = _folder["state"];
        using System.Diagnostics.Process script = System.Diagnostics.Process.Start(start)!;
        script.StandardInput.Close();
        string shown = await script.StandardOutput.ReadToEndAsync();
        Assert.That(shown, Does.Contain("acceptable"));
        Assert.That(shown.Contains("\u001b[", StringComparison.Ordinal) && shown.Contains("32m", StringComparison.Ordinal), Is.EqualTo(coloured), shown);
    }

    private static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private async Task<string> OutputOfAsync(string program, params string[] arguments)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, WorkingDirectory = _folder.FullPath })!;
        string output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return output.Trim();
    }

    private Task<McpGuardProcess> RunAsync(params string[] arguments) => McpGuardProcess.RunAsync(_folder.FullPath, arguments);
}
