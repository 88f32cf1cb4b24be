using System.Diagnostics;
using System.Globalization;
using Mcp.Guard.Isolation;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>Nothing a server started is left after dispose, halt or the host's death; ends and standard error are reported, bounded.</summary>
[TestFixture]
internal sealed class LifecycleTests
{
    private static readonly ServerProcessOptions s_hurried = new() { StopGrace = TimeSpan.FromMilliseconds(50), TerminateGrace = TimeSpan.FromMilliseconds(500) };

    [TestCase(nameof(IsolationMode.None))]
    [TestCase(nameof(IsolationMode.Bubblewrap))]
    public async Task Dispose_ServerThatIgnoresEverything_LeavesNothing(string mode)
    {
        Require(mode);
        string seconds = Marker();
        ServerProcess server = await Probe.StartAsync(Probe.Options(Enum.Parse<IsolationMode>(mode), "stay", seconds), s_hurried);
        await ReadLineAsync(server);
        Assert.That(await BecomesTrueAsync(() => Sleepers(seconds) == 1), Is.True, "it left its session; setsid returns before its child runs sleep");
        await server.DisposeAsync();
        Assert.Multiple(() =>
        {
            Assert.That(Sleepers(seconds), Is.Zero);
            Assert.That(Directory.Exists($"/proc/{server.ProcessId}"), Is.False);
        });
    }

    [TestCase(nameof(IsolationMode.None))]
    [TestCase(nameof(IsolationMode.Bubblewrap))]
    public async Task Kill_RunningServer_EndsTheTree(string mode)
    {
        Require(mode);
        string seconds = Marker();
        await using ServerProcess server = await Probe.StartAsync(Probe.Options(Enum.Parse<IsolationMode>(mode), "stay", seconds));
        await ReadLineAsync(server);
        server.Kill();
        ServerProcessExit exit = await server.Exited.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Multiple(() =>
        {
            Assert.That(exit.Requested, Is.True);
            Assert.That(exit.Code, Is.EqualTo(137));
            Assert.That(Sleepers(seconds), Is.Zero);
        });
    }

    [TestCase(nameof(IsolationMode.None))]
    [TestCase(nameof(IsolationMode.Bubblewrap))]
    public async Task ServerEnds_LeavingAProcessBehind_ItIsEnded(string mode)
    {
        Require(mode);
        string seconds = Marker();
        await using ServerProcess server = await Probe.StartAsync(Probe.Options(Enum.Parse<IsolationMode>(mode), "daemon", seconds));
        ServerProcessExit exit = await server.Exited.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Multiple(() =>
        {
            Assert.That(exit.Requested, Is.False);
            Assert.That(exit.Code, Is.Zero);
            Assert.That(Sleepers(seconds), Is.Zero);
        });
    }

    [TestCase(nameof(IsolationMode.None))]
    [TestCase(nameof(IsolationMode.Bubblewrap))]
    public async Task HostKilled_ServerThatIgnoresItsInput_DiesWithIt(string mode)
    {
        Require(mode);
        using Process host = StartHost(mode);
        string? line = await host.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.That(line, Does.StartWith("started "));
        int started = int.Parse(line!.Split(' ')[1], CultureInfo.InvariantCulture);
        Assert.That(Directory.Exists($"/proc/{started}"), Is.True);
        host.Kill();
        await host.WaitForExitAsync();
        Assert.That(await GoneAsync(started), Is.True);
        if (mode == nameof(IsolationMode.Bubblewrap))
        {
            Assert.That(await BecomesTrueAsync(() => Sleepers(line.Split(' ')[2]) == 0), Is.True);
        }
    }

    [TestCase(nameof(IsolationMode.None))]
    [TestCase(nameof(IsolationMode.Bubblewrap))]
    public async Task Stop_ServerThatEndsWithItsInput_EndsInOrder(string mode)
    {
        Require(mode);
        await using ServerProcess server = await Probe.StartAsync(Probe.Options(Enum.Parse<IsolationMode>(mode), "copy"), new ServerProcessOptions { StopGrace = TimeSpan.FromSeconds(30) });
        await server.Input.WriteAsync("hello\n"u8.ToArray());
        Assert.That(await ReadLineAsync(server), Is.EqualTo("hello"));
        ServerProcessExit exit = await server.StopAsync();
        Assert.That(exit.Code, Is.Zero);
    }

    [TestCase(nameof(IsolationMode.None))]
    [TestCase(nameof(IsolationMode.Bubblewrap))]
    public async Task Exit_OfTheServer_CodeAndLastWordsAreReported(string mode)
    {
        Require(mode);
        JailRun run = await Probe.RunAsync(Probe.Options(Enum.Parse<IsolationMode>(mode), "exit", "7"));
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.EqualTo(7));
            Assert.That(run.Errors, Is.EqualTo(new[] { "leaving" }));
        });
    }

    [Test]
    public async Task StandardError_Flood_IsBoundedAndTheServerIsNotBlocked()
    {
        Probe.RequireLinux();
        var options = new ServerProcessOptions { ErrorTailLines = 5, ErrorLineBytes = 100 };
        JailRun run = await Probe.RunAsync(Probe.Options(IsolationMode.None, "spam", "500"), options);
        Assert.Multiple(() =>
        {
            Assert.That(run.Said, Is.EqualTo("spammed"));
            Assert.That(run.Errors, Has.Count.EqualTo(5));
            Assert.That(run.Errors, Has.All.Length.LessThan(120));
            Assert.That(run.Errors[^1], Does.StartWith("499 ").And.EndsWith("(cut)"));
        });
    }

    [Test]
    public async Task StandardError_TerminalCodes_AreEscaped()
    {
        Probe.RequireLinux();
        JailRun run = await Probe.RunAsync(Probe.Options(IsolationMode.None, "terminal-text"));
        Assert.That(run.Errors, Is.EqualTo(new[] { @"\u{1b}[2Jred \u{202e} text" }));
    }

    [Test]
    public async Task Environment_WithoutABox_IsNotInherited()
    {
        Probe.RequireLinux();
        Environment.SetEnvironmentVariable("MCP_GUARD_TEST_SECRET", "host-secret");
        JailRun run = await Probe.RunAsync(Probe.Options(IsolationMode.None, "environment"));
        string[] names = [.. run.Said.Split('\n').Select(static line => line.Split('=')[0])];
        Assert.That(names, Is.EquivalentTo(new[] { "HOME", "LANG", "MCP_GUARD_INSTANCE", "PATH", "TMPDIR" }), run.ToString());
    }

    [Test]
    public async Task Descriptors_WithoutABox_OnlyThreeAreInherited()
    {
        Probe.RequireLinux();
        using FileStream open = File.OpenRead(Probe.Library);
        int inheritable = Inheritable.Duplicate((int)open.SafeFileHandle.DangerousGetHandle());
        try
        {
            JailRun run = await Probe.RunAsync(Probe.Options(IsolationMode.None) with { Executable = "/bin/ls", Arguments = ["/proc/self/fd"] });
            Assert.That(run.Said.Split('\n', StringSplitOptions.TrimEntries), Is.EqualTo(new[] { "0", "1", "2", "3" }), "3 is the listed folder itself");
        }
        finally
        {
            _ = Inheritable.Close(inheritable);
        }
    }

    [Test]
    public async Task WorkingDirectory_WithoutABox_IsPrivateAndRemoved()
    {
        Probe.RequireLinux();
        ServerProcess server = await Probe.StartAsync(Probe.Options(IsolationMode.None) with { Executable = "/bin/pwd", Arguments = [] });
        string? folder = await ReadLineAsync(server);
        Assert.That(folder, Does.StartWith(Path.GetTempPath()).And.Contain("mcp-guard-"));
        await server.DisposeAsync();
        Assert.That(Directory.Exists(folder), Is.False);
    }

    [Test]
    public async Task Start_ProgramThatIsNotThere_IsATypedError()
    {
        Probe.RequireLinux();
        IsolationException? refused = await Assert.ThrowsAsync<IsolationException>(() => Probe.StartAsync(Probe.Options(IsolationMode.None) with { Executable = "/nonexistent/server" }));
        Assert.That(refused!.Fault, Is.EqualTo(IsolationFault.SourceRefused));
    }

    [Test]
    public async Task Output_Wrapper_IsWhatReadersSee()
    {
        Probe.RequireLinux();
        var seen = new List<Stream>();
        var options = new ServerProcessOptions
        {
            WrapOutput = stream =>
            {
                var wrapped = new BufferedStream(stream);
                seen.Add(wrapped);
                return wrapped;
            },
        };
        await using ServerProcess server = await Probe.StartAsync(Probe.Options(IsolationMode.None, "environment"), options);
        Assert.That(server.Output, Is.SameAs(seen.Single()));
    }

    private static void Require(string mode)
    {
        if (mode == nameof(IsolationMode.Bubblewrap))
        {
            Probe.RequireBubblewrap();
        }
        else
        {
            Probe.RequireLinux();
        }
    }

    // A length of sleep that no other process uses marks the ones of this test.
    private static string Marker() => (100_000 + (Environment.ProcessId % 10_000) + (Interlocked.Increment(ref s_marker) * 0.001)).ToString("0.000", CultureInfo.InvariantCulture);

    private static int s_marker;

    private static int Sleepers(string seconds)
    {
        int found = 0;
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                string[] command = File.ReadAllText(folder + "/cmdline").Split('\0');
                found += command is ["/bin/sleep", var length, ..] && length == seconds ? 1 : 0;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Not a process, or one that has just ended.
            }
        }

        return found;
    }

    private static async Task<string?> ReadLineAsync(ServerProcess server)
    {
        using var reader = new StreamReader(server.Output, leaveOpen: true);
        return await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    private static Task<bool> GoneAsync(int pid) => BecomesTrueAsync(() => !Directory.Exists($"/proc/{pid}") || File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1][0] is 'Z' or 'X');

    private static async Task<bool> BecomesTrueAsync(Func<bool> holds)
    {
        for (int i = 0; i < 200; i++)
        {
            try
            {
                if (holds())
                {
                    return true;
                }
            }
            catch (IOException)
            {
                return true;
            }

            await Task.Delay(50);
        }

        return false;
    }

    private static Process StartHost(string mode)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment[CrashHost.Variable] = mode;
        start.Environment[CrashHost.MarkerVariable] = Marker();
        return Process.Start(start)!;
    }
}
