using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Mcp.Guard.Isolation;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>Each thing a hostile server may try in its box, run for real; each test fails if the attempt succeeds or never ran.</summary>
[TestFixture]
internal sealed class BubblewrapAttackTests
{
    private string _folder = "";

    [SetUp]
    public void SetUp()
    {
        Probe.RequireBubblewrap();
        _folder = Probe.MakeFolder();
    }

    [TearDown]
    public void TearDown()
    {
        if (_folder.Length > 0)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Test]
    public async Task ReadHome_HomeFolder_IsNotThere()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        JailRun run = await Probe.RunAsync(Probe.Boxed("list", home));
        Assert.That(run.Said, Does.StartWith("failed: DirectoryNotFoundException").Or.EqualTo("listed:"), run.ToString());
    }

    [Test]
    public async Task ReadOtherRoot_FolderOfAnotherServer_IsNotThere()
    {
        string secret = Path.Combine(_folder, "secret");
        await File.WriteAllTextAsync(secret, "other");
        JailRun run = await Probe.RunAsync(Probe.Boxed("read", secret));
        Assert.That(run.Said, Does.StartWith("failed: DirectoryNotFoundException"), run.ToString());
    }

    [Test]
    public async Task ReadShadow_SystemPasswords_AreNotThere()
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("read", "/etc/shadow"));
        Assert.That(run.Said, Does.StartWith("failed: FileNotFoundException"), run.ToString());
    }

    [TestCase("/")]
    [TestCase("/etc")]
    [TestCase("/dev")]
    [TestCase("/var")]
    public async Task ListSystem_TopFolders_ShowOnlyWhatIsGiven(string path)
    {
        string[] expected = path switch
        {
            "/" => ["bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "tmp", "usr", "var", AppContext.BaseDirectory.Split('/')[1]],
            "/dev" => ["console", "core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"],
            "/var" => ["empty"], // the working folder where the policy names none
            _ => ["alternatives", "ca-certificates", "crypto-policies", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "passwd", "pki", "ssl"],
        };
        JailRun run = await Probe.RunAsync(Probe.Boxed("list", path));
        string[] names = [.. run.Said.Split(' ').Skip(1).Select(static entry => Path.GetFileName(entry))];
        Assert.That(names, Is.SubsetOf(expected), run.ToString());
        Assert.That(names, Is.Not.Empty);
    }

    [Test]
    public async Task ReadEnvironment_OfTheHost_OnlyOwnVariablesAreThere()
    {
        Environment.SetEnvironmentVariable("MCP_GUARD_TEST_SECRET", "host-secret");
        IsolationOptions options = Probe.Boxed("environment") with
        {
            Environment = [new IsolationVariable("GIVEN", "a b\"c=d"), new IsolationVariable("TOKEN", "s3cret", Secret: true)],
        };
        JailRun run = await Probe.RunAsync(options);
        string[] names = [.. run.Said.Split('\n').Select(static line => line.Split('=')[0])];
        string[] expected =
        [
            "DOTNET_CLI_TELEMETRY_OPTOUT", "DOTNET_EnableDiagnostics", "DOTNET_EnableWriteXorExecute", "DOTNET_NOLOGO", "DOTNET_ROOT", "GIVEN",
            "HOME", "LANG", "PATH", "PWD", "TMPDIR", "TOKEN",
        ];
        Assert.Multiple(() =>
        {
            Assert.That(names, Is.EquivalentTo(expected), run.ToString());
            Assert.That(run.Said, Does.Contain("GIVEN=a b\"c=d").And.Contain("TOKEN=s3cret").And.Not.Contain("host-secret"));
        });
    }

    [Test]
    public void SecretVariable_CommandLine_NeverHoldsIt()
    {
        IsolationPlan plan = IsolationPlanner.Create(
            Probe.Boxed("environment") with { Environment = [new IsolationVariable("TOKEN", "s3cret", Secret: true)] },
            IsolationHost.Detect());
        Assert.Multiple(() =>
        {
            Assert.That(string.Join(' ', plan.Arguments), Does.Not.Contain("s3cret"));
            Assert.That(plan.Describe(), Does.Not.Contain("s3cret").And.Contain("TOKEN=(secret)"));
        });
    }

    [Test]
    public async Task WriteReadOnly_ReadableFolder_IsRefused()
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("write", Path.Combine(_folder, "new")) with
        {
            Readable = [_folder, AppContext.BaseDirectory.TrimEnd('/')],
        });
        Assert.Multiple(() =>
        {
            Assert.That(run.Said, Does.StartWith("failed: IOException: Read-only file system"), run.ToString());
            Assert.That(File.Exists(Path.Combine(_folder, "new")), Is.False);
        });
    }

    [TestCase("/usr/bin/new")]
    [TestCase("/new")]
    [TestCase("/dev/new")]
    [TestCase("/etc/passwd")]
    [TestCase("/proc/sys/kernel/core_pattern")]
    public async Task WriteSystem_AnyPlace_IsRefused(string path)
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("write", path));
        Assert.That(run.Said, Does.StartWith("failed: "), run.ToString());
    }

    [Test]
    public async Task WriteWritable_ListedFolder_IsAllowed()
    {
        string file = Path.Combine(_folder, "new");
        JailRun run = await Probe.RunAsync(Probe.Boxed("write", file) with { Writable = [_folder] });
        Assert.Multiple(() =>
        {
            Assert.That(run.Said, Does.StartWith("wrote "), run.ToString());
            Assert.That(File.Exists(file), Is.True);
        });
    }

    [TestCase(nameof(IsolationNetwork.None), "Address family not supported")]
    [TestCase(nameof(IsolationNetwork.Loopback), "Network is unreachable")]
    public async Task Connect_ToTheNetwork_IsRefused(string network, string saw)
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("connect", "198.51.100.1", "443") with { Network = Enum.Parse<IsolationNetwork>(network) });
        Assert.That(run.Said, Does.StartWith("failed: ").And.Contain(saw), run.ToString());
    }

    [TestCase(nameof(IsolationNetwork.None), "Address family not supported")]
    [TestCase(nameof(IsolationNetwork.Loopback), "Connection refused")]
    public async Task Connect_ToTheHostsLoopback_IsRefused(string network, string saw)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        JailRun run = await Probe.RunAsync(Probe.Boxed("connect", "127.0.0.1", port) with { Network = Enum.Parse<IsolationNetwork>(network) });
        Assert.Multiple(() =>
        {
            Assert.That(run.Said, Does.StartWith("failed: ").And.Contain(saw), run.ToString());
            Assert.That(listener.Pending(), Is.False);
        });
    }

    [Test]
    public async Task Connect_WithTheHostsNetwork_ReachesIt()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        JailRun run = await Probe.RunAsync(Probe.Boxed("connect", "127.0.0.1", port) with { Network = IsolationNetwork.Host });
        Assert.That(run.Said, Is.EqualTo("connected"), run.ToString());
    }

    [TestCase("file")]
    [TestCase("abstract")]
    public async Task Connect_ToAHostSocket_IsRefused(string kind)
    {
        string path = kind == "file" ? Path.Combine(_folder, "bus") : $"\0mcp-guard-test-{Guid.NewGuid():N}";
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();

        JailRun without = await Probe.RunAsync(Probe.Options(IsolationMode.None, "unix-socket", path.Replace('\0', '@')));
        Assert.That(without.Said, Is.EqualTo("connected"), "the socket answers outside a box");
        JailRun run = await Probe.RunAsync(Probe.Boxed("unix-socket", path.Replace('\0', '@')));
        Assert.That(run.Said, Does.StartWith("failed: "), run.ToString());
    }

    [Test]
    public void BindSocket_AsReadable_IsRefused()
    {
        string path = Path.Combine(_folder, "docker.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        IsolationException? refused = Assert.Throws<IsolationException>(() => IsolationPlanner.Create(Probe.Boxed("list", "/") with { Readable = [path] }, IsolationHost.Detect()));
        Assert.That(refused!.Fault, Is.EqualTo(IsolationFault.SourceRefused));
    }

    [Test]
    public async Task SeeProcesses_OfTheHost_OnlyItsOwnAreThere()
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("processes"));
        Assert.That(run.Said, Is.EqualTo("processes: 1 2"), run.ToString());
    }

    [Test]
    public async Task SignalProcess_OfTheHost_IsNotThere()
    {
        using Process victim = StartVictim();
        try
        {
            JailRun run = await Probe.RunAsync(Probe.Boxed("signal", victim.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            Assert.Multiple(() =>
            {
                Assert.That(run.Said, Is.EqualTo("failed: No such process"), run.ToString());
                Assert.That(victim.HasExited, Is.False);
            });
        }
        finally
        {
            victim.Kill();
        }
    }

    [Test]
    public async Task Trace_OtherProcess_IsRefused()
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("trace", "1"));
        Assert.That(run.Said, Is.EqualTo("failed: Operation not permitted"), run.ToString());
    }

    [TestCase("fork")]
    [TestCase("threads")]
    public async Task Fork_TenThousandTimes_EndsAtTheLimit(string attempt)
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed(attempt, "10000") with { Processes = 64 });
        Assert.That(run.Said.Length == 0 || run.Said.StartsWith("failed: after ", StringComparison.Ordinal), Is.True, run.ToString());
        if (run.Said.Length > 0)
        {
            Assert.That(int.Parse(run.Said.Split(' ', ':')[3], System.Globalization.CultureInfo.InvariantCulture), Is.InRange(1, 64));
        }
        else
        {
            // The runtime itself ran into the limit and ended.
            Assert.That(run.Code, Is.Not.Zero);
        }
    }

    [Test]
    public async Task Allocate_BeyondTheLimit_IsRefused()
    {
        const long Limit = 512L << 20;
        JailRun run = await Probe.RunAsync(Probe.Boxed("allocate", (4 * Limit).ToString(System.Globalization.CultureInfo.InvariantCulture)) with { Memory = Limit });
        Assert.That(run.Said, Does.StartWith("failed: after "), run.ToString());
        Assert.That(long.Parse(run.Said.Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture), Is.InRange(1L << 20, Limit));
    }

    [TestCase("map-shared")]
    [TestCase("memory-file")]
    public async Task Allocate_MemoryThatNoLimitCounts_IsRefused(string attempt)
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed(attempt, "1048576") with { Memory = 512L << 20 });
        Assert.That(run.Said, Is.EqualTo("failed: Operation not permitted"), run.ToString());
    }

    [Test]
    public async Task UseDescriptor_InheritedFromTheHost_IsNotThere()
    {
        // A descriptor that is inheritable, as native libraries leave them.
        string secret = Path.Combine(_folder, "open");
        await File.WriteAllTextAsync(secret, "secret");
        using FileStream open = File.OpenRead(secret);
        int inheritable = Inheritable.Duplicate((int)open.SafeFileHandle.DangerousGetHandle());
        try
        {
            Assert.That(Inheritable.IsInheritable(inheritable), Is.True);
            JailRun run = await Probe.RunAsync(Probe.Boxed("descriptors"));
            string[] outside = [.. run.Said.Split('\n').Where(static line => !line.Contains("/usr/", StringComparison.Ordinal)
                && !line.Contains("/dev/", StringComparison.Ordinal) && !line.Contains("/proc/", StringComparison.Ordinal)
                && !line.Contains(AppContext.BaseDirectory.TrimEnd('/'), StringComparison.Ordinal))];
            Assert.Multiple(() =>
            {
                Assert.That(run.Said, Does.Contain("0=pipe:").And.Contain("1=pipe:").And.Contain("2=pipe:").And.Not.Contain("open"), run.ToString());
                Assert.That(outside.Where(static line => line.Contains("=/", StringComparison.Ordinal)), Is.Empty);
            });
            JailRun shell = await Probe.RunAsync(Probe.Boxed() with { Executable = "/bin/ls", Arguments = ["/proc/self/fd"] });
            Assert.That(shell.Said.Split('\n', StringSplitOptions.TrimEntries), Is.EqualTo(new[] { "0", "1", "2", "3" }), "3 is the listed folder itself");
        }
        finally
        {
            _ = Inheritable.Close(inheritable);
        }
    }

    [Test]
    public async Task SwapFolder_BoundFolderForALink_IsRefused()
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("swap", _folder, "/etc") with { Writable = [_folder] });
        Assert.Multiple(() =>
        {
            Assert.That(run.Said, Does.StartWith("failed: "), run.ToString());
            Assert.That(new DirectoryInfo(_folder).LinkTarget, Is.Null);
        });
    }

    [Test]
    public async Task SwapFolder_OtherServersFolderForALink_IsNotFollowed()
    {
        // One server may change the folder in which another server's folder lies.
        string inner = Path.Combine(_folder, "inner");
        Directory.CreateDirectory(inner);
        JailRun run = await Probe.RunAsync(Probe.Boxed("swap", inner, "/etc") with { Writable = [_folder] });
        Assert.That(run.Said, Is.EqualTo("swapped"), run.ToString());
        IsolationException? refused = Assert.Throws<IsolationException>(() => IsolationPlanner.Create(
            Probe.Boxed("list", inner) with { Readable = [inner], WritableByAnyServer = [_folder] },
            IsolationHost.Detect()));
        Assert.That(refused!.Fault, Is.EqualTo(IsolationFault.SourceRefused));
    }

    [Test]
    public async Task SwapFolder_BetweenPlanAndStart_IsRefused()
    {
        string inner = Path.Combine(_folder, "inner");
        Directory.CreateDirectory(inner);
        IsolationPlan plan = IsolationPlanner.Create(Probe.Boxed("list", inner) with { Readable = [inner, AppContext.BaseDirectory.TrimEnd('/')] }, IsolationHost.Detect());
        Directory.Delete(inner);
        Directory.CreateSymbolicLink(inner, "/etc");
        IsolationException? refused = await Assert.ThrowsAsync<IsolationException>(() => ServerProcess.StartAsync(plan, new ServerProcessOptions(), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));
        Assert.That(refused!.Fault, Is.EqualTo(IsolationFault.SourceRefused));
    }

    [TestCase("read")]
    [TestCase("write")]
    public async Task GuardFiles_InAReadableFolder_AreCovered(string attempt)
    {
        string own = Path.Combine(_folder, "state", "mcp-guard.json");
        Directory.CreateDirectory(Path.GetDirectoryName(own)!);
        await File.WriteAllTextAsync(own, "{}");
        JailRun run = await Probe.RunAsync(Probe.Boxed(attempt, own) with
        {
            Readable = [_folder, AppContext.BaseDirectory.TrimEnd('/')],
            GuardPaths = [own],
        });
        Assert.Multiple(() =>
        {
            Assert.That(run.Said, Does.StartWith("failed: "), run.ToString());
            Assert.That(File.ReadAllText(own), Is.EqualTo("{}"));
        });
    }

    [TestCase("policy in the writable folder", "mcp-guard.json", true)]
    [TestCase("audit below the writable folder", "state/audit/log", true)]
    [TestCase("policy directly in the readable folder", "mcp-guard.json", false)]
    [TestCase("file that is not there yet", "later/log", false)]
    public void GuardFiles_WithinReach_RefuseTheStart(string what, string file, bool writable)
    {
        string own = Path.Combine(_folder, file);
        if (file != "later/log")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(own)!);
            File.WriteAllText(own, "{}");
        }

        IsolationOptions options = Probe.Boxed("list", "/") with { Readable = writable ? [] : [_folder], Writable = writable ? [_folder] : [], GuardPaths = [own] };
        IsolationException? refused = Assert.Throws<IsolationException>(() => IsolationPlanner.Create(options, IsolationHost.Detect()), what);
        Assert.That(refused!.Fault, Is.EqualTo(IsolationFault.GuardFilesExposed));
    }

    [TestCase("/tmp/full", "No space left")]
    [TestCase("/dev/shm/full", "No space left")]
    public async Task FillDisk_PrivateFolders_EndAtTheirSize(string path, string saw)
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("fill", path, "1073741824") with { Temp = 4 << 20 });
        Assert.That(run.Said, Does.StartWith("failed: after ").And.Contain(saw), run.ToString());
        Assert.That(long.Parse(run.Said.Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture), Is.LessThanOrEqualTo(4 << 20));
    }

    [Test]
    public async Task FillDisk_FileInAWritableFolder_EndsAtItsSize()
    {
        string file = Path.Combine(_folder, "full");
        JailRun run = await Probe.RunAsync(Probe.Boxed("fill", file, "1073741824") with { Writable = [_folder], FileSize = 4 << 20 });
        Assert.Multiple(() =>
        {
            Assert.That(run.Said, Does.Not.StartWith("wrote"), run.ToString());
            Assert.That(new FileInfo(file).Length, Is.LessThanOrEqualTo(4 << 20));
        });
    }

    [TestCase("user-namespace")]
    [TestCase("mount")]
    [TestCase("push-terminal")]
    [TestCase("device-node", "/tmp/device")]
    [TestCase("raise-limit", "7")]
    public async Task Privileged_Call_IsRefused(params string[] attempt)
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed(attempt));
        Assert.That(run.Said, Is.EqualTo("failed: Operation not permitted"), run.ToString());
    }

    [Test]
    public async Task Privileges_Inside_AreNone()
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("privileges"));
        Assert.Multiple(() =>
        {
            foreach (string set in (string[])["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
            {
                Assert.That(run.Said, Does.Contain($"{set}:\t0000000000000000"), run.ToString());
            }

            Assert.That(run.Said, Does.Contain("NoNewPrivs:\t1").And.Contain("Seccomp:\t2").And.Not.Contain("Uid:\t0"), run.ToString());
        });
    }

    private static Process StartVictim()
    {
        var start = new ProcessStartInfo("/bin/sleep") { ArgumentList = { "60" } };
        return Process.Start(start)!;
    }
}
