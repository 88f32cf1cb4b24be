using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.IntegrationTests.Servers;

namespace Mcp.Guard.IntegrationTests.Run;

/// <summary><c>mcp-guard run</c> in a real (pseudo) terminal: who is asked there, what counts as an answer, and Ctrl-C.</summary>
[TestFixture]
internal sealed class TerminalTests
{
    private string _work = string.Empty;
    private string _policy = string.Empty;

    private string Target => Path.Combine(_work, "root", "new.txt");

    [SetUp]
    public void Make()
    {
        if (!OperatingSystem.IsLinux() || FindPython() is null)
        {
            Assert.Ignore("needs Linux and python3, which makes the terminal");
        }

        _work = Directory.CreateTempSubdirectory("mcp-guard-tty-").FullName;
        string root = Directory.CreateDirectory(Path.Combine(_work, "root")).FullName;
        _policy = Path.Combine(_work, "mcp-guard.json");
        File.WriteAllText(_policy, $$"""
            {
              "stateDirectory": {{JsonSerializer.Serialize(Path.Combine(_work, "state"))}},
              "servers": {
                "files": {
                  "command": {{JsonSerializer.Serialize(NpmServers.Node)}},
                  "arguments": [{{JsonSerializer.Serialize(NpmServers.Require("server-filesystem", "index.js"))}}, {{JsonSerializer.Serialize(root)}}],
                  "isolation": { "mode": "none" }, "roots": [{{JsonSerializer.Serialize(root)}}],
                  "rules": { "w": { "tools": ["write_file"], "effect": "ask" } }
                }
              }
            }
            """);
    }

    [TearDown]
    public void Remove()
    {
        if (_work.Length > 0)
        {
            Directory.Delete(_work, recursive: true);
        }
    }

    [Test]
    public async Task ConsentTerminal_Once_IsAskedThereAndCarriedOut()
    {
        JsonNode happened = await InTerminalAsync("once");
        Assert.Multiple(() =>
        {
            Assert.That((string?)happened["shown"], Does.Contain("Allow tool 'write_file' of server 'files'?"));
            Assert.That(happened["answer"]?.ToJsonString(), Does.Contain("Successfully"));
            Assert.That((int?)happened["exit"], Is.Zero, "it ends with its client");
            Assert.That(File.Exists(Target), Is.True);
        });
    }

    [TestCase("no")]
    [TestCase("wrong")]
    public async Task ConsentTerminal_NoAndWrongNumber_Deny(string answer)
    {
        JsonNode happened = await InTerminalAsync(answer);
        Assert.That(happened["answer"]?.ToJsonString(), Does.Contain("[consent-denied]"), happened.ToJsonString());
        Assert.That(File.Exists(Target), Is.False);
    }

    [Test]
    public async Task ConsentTerminal_TerminalCloses_NothingIsCarriedOut()
    {
        JsonNode happened = await InTerminalAsync("hang-up");
        Assert.That(happened["exit"], Is.Not.Null, "it ends: " + happened.ToJsonString());
        Assert.That(File.Exists(Target), Is.False);
    }

    [Test]
    public async Task CtrlC_EndsTheCommandAndItsServers()
    {
        JsonNode happened = await InTerminalAsync("ctrl-c");
        Assert.Multiple(() =>
        {
            Assert.That((int?)happened["exit"], Is.Zero, happened.ToJsonString());
            Assert.That((int?)happened["servers"], Is.GreaterThan(0));
            Assert.That(happened["left"]!.AsArray(), Is.Empty);
            Assert.That((string?)happened["shown"], Does.Not.Match(@"\n +at ").And.Not.Contain("Unhandled"));
        });
    }

    [Test]
    public async Task ConsentTerminal_NoTerminal_OneMessageAndExitTwo()
    {
        if (!File.Exists("/usr/bin/setsid"))
        {
            Assert.Ignore("needs setsid (util-linux), which takes the terminal away");
        }

        var start = new ProcessStartInfo("/usr/bin/setsid", ["-w", "dotnet", RunningGateway.Dll, "run", _policy, "--consent", "terminal"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        string error = await process.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.EqualTo(2), error);
        Assert.That(error, Does.Contain("there is no terminal to ask at").And.Contain("--consent elicitation"));
    }

    private async Task<JsonNode> InTerminalAsync(string what)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "Run", "terminal.py");
        string arguments = new JsonObject { ["path"] = Target, ["content"] = "x" }.ToJsonString();
        var start = new ProcessStartInfo(FindPython()!, [script, what, "files__write_file", arguments, "dotnet", RunningGateway.Dll, "run", _policy, .. what == "ctrl-c" ? Array.Empty<string>() : ["--consent", "terminal"]])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string happened = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return JsonNode.Parse(happened)!;
    }

    private static string? FindPython() => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
        .Select(static folder => Path.Combine(folder, "python3")).FirstOrDefault(File.Exists);
}
