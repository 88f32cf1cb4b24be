using System.Globalization;
using System.Runtime.InteropServices;
using Mcp.Guard.Isolation;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>What of the kernel and of the box itself a hostile server can still reach: calls, namespaces, /proc, mounts, memory that limits do not count.</summary>
[TestFixture]
internal sealed class BubblewrapReachTests
{
    private const int NotPermitted = 1;
    private const int NoSuchCall = 38;
    private const int NoSuchFamily = 97;

    [SetUp]
    public void SetUp() => Probe.RequireBubblewrap();

    // Name, number on x64, number on arm64, what the filter answers. Arguments that no kernel accepts, so that the answer is the filter's.
    private static readonly (string Name, int X64, int Arm64, int Answer)[] s_calls =
    [
        ("add_key", 248, 217, NotPermitted),
        ("request_key", 249, 218, NotPermitted),
        ("keyctl", 250, 219, NotPermitted),
        ("bpf", 321, 280, NotPermitted),
        ("userfaultfd", 323, 282, NotPermitted),
        ("perf_event_open", 298, 241, NotPermitted),
        ("io_uring_setup", 425, 425, NoSuchCall),
        ("io_uring_enter", 426, 426, NoSuchCall),
        ("clone3", 435, 435, NoSuchCall),
        ("ptrace", 101, 117, NotPermitted),
        ("process_vm_readv", 310, 270, NotPermitted),
        ("process_vm_writev", 311, 271, NotPermitted),
        ("process_madvise", 440, 440, NotPermitted),
        ("pidfd_getfd", 438, 438, NotPermitted),
        ("kcmp", 312, 272, NotPermitted),
        ("setns", 308, 268, NotPermitted),
        ("unshare", 272, 97, NotPermitted),
        ("mount", 165, 40, NotPermitted),
        ("umount2", 166, 39, NotPermitted),
        ("pivot_root", 155, 41, NotPermitted),
        ("chroot", 161, 51, NotPermitted),
        ("open_tree", 428, 428, NotPermitted),
        ("move_mount", 429, 429, NotPermitted),
        ("fsopen", 430, 430, NotPermitted),
        ("fsmount", 432, 432, NotPermitted),
        ("mount_setattr", 442, 442, NotPermitted),
        ("name_to_handle_at", 303, 264, NotPermitted),
        ("open_by_handle_at", 304, 265, NotPermitted),
        ("fanotify_init", 300, 262, NotPermitted),
        ("memfd_secret", 447, 447, NotPermitted),
        ("shmget", 29, 194, NotPermitted),
        ("msgget", 68, 186, NotPermitted),
        ("semget", 64, 190, NotPermitted),
        ("mq_open", 240, 180, NotPermitted),
        ("init_module", 175, 105, NotPermitted),
        ("finit_module", 313, 273, NotPermitted),
        ("kexec_load", 246, 104, NotPermitted),
        ("reboot", 169, 142, NotPermitted),
        ("swapon", 167, 224, NotPermitted),
        ("acct", 163, 89, NotPermitted),
        ("quotactl", 179, 60, NotPermitted),
        ("sethostname", 170, 161, NotPermitted),
        ("clock_settime", 227, 112, NotPermitted),
        ("syslog", 103, 116, NotPermitted),
        ("vhangup", 153, 58, NotPermitted),
    ];

    [Test]
    public async Task Call_IntoDangerousPartsOfTheKernel_IsAnsweredByTheFilter()
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed(["calls", .. s_calls.Select(static call => Number(call.X64, call.Arm64))]));
        Assert.That(run.Said.Split('\n'), Is.EqualTo(s_calls.Select(static call => $"{Number(call.X64, call.Arm64)}={call.Answer}")), run.ToString());
    }

    [Test]
    public async Task Socket_OfAnotherFamilyThanUnix_IsRefusedAlsoInPairs()
    {
        // INET, NETLINK, PACKET, TIPC, ALG, VSOCK. A pair asks for the family's module before the kernel sees that the family has no pairs.
        string[] calls = [.. new[] { 2, 16, 17, 30, 38, 40 }.SelectMany(static family => new[] { $"{Number(41, 198)}:{family}", $"{Number(53, 199)}:{family}" })];
        JailRun run = await Probe.RunAsync(Probe.Boxed(["calls", .. calls]));
        Assert.That(run.Said.Split('\n'), Is.EqualTo(calls.Select(static call => $"{call}={NoSuchFamily}")), run.ToString());
    }

    [Test]
    public async Task Call_InTheNumberingOfX32_EndsTheProcess()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            Assert.Ignore("x32 exists on x64 only");
        }

        JailRun run = await Probe.RunAsync(Probe.Boxed("calls", (0x40000000 + 39).ToString(CultureInfo.InvariantCulture)));
        Assert.That(run.Code, Is.EqualTo(128 + 31), "SIGSYS");
    }

    [TestCase("map-zero")]
    [TestCase("map-growing")]
    public async Task Allocate_MemoryCountedElsewhere_IsRefused(string attempt)
    {
        JailRun free = await Probe.RunAsync(Probe.Boxed(attempt, "1048576"));
        JailRun run = await Probe.RunAsync(Probe.Boxed(attempt, "1048576") with { Memory = 512L << 20 });
        Assert.Multiple(() =>
        {
            Assert.That(free.Said, Is.EqualTo("mapped 1048576"), "without a limit it is no matter");
            Assert.That(run.Said, Does.StartWith("failed: ").And.Not.Contain("DllNotFound"), run.ToString());
        });
    }

    [Test]
    public async Task Allocate_PagesMadeReadOnly_AreHeldByACgroup()
    {
        if (IsolationHost.Detect().CgroupParent is null)
        {
            Assert.Ignore("needs a delegated cgroup (version 2), which is absent here: the limits of a process do not count such pages (docs/isolation.md)");
        }

        IsolationOptions options = Probe.Boxed("hide-pages", (1L << 30).ToString(CultureInfo.InvariantCulture)) with { Memory = 256L << 20, Required = [IsolationControls.TotalMemory] };
        JailRun run = await Probe.RunAsync(options);
        Assert.That(run.Said, Does.Not.StartWith("holds"), run.ToString());
    }

    // Where no cgroup can be had, a policy that wants a hostile server held says so, and the server is not started.
    [Test]
    public void Allocate_WithoutACgroup_IsRefusedWhereTheTotalIsRequired() => Assert.That(
        () => IsolationPlanner.Create(Probe.Boxed("hide-pages", "0") with { Memory = 256L << 20, Required = [IsolationControls.TotalMemory] }, IsolationHost.Detect() with { CgroupParent = null }),
        Throws.TypeOf<IsolationException>().With.Property(nameof(IsolationException.Fault)).EqualTo(IsolationFault.ControlUnavailable));

    [Test]
    public async Task Namespaces_OfTheBox_AreNotTheHosts()
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("links", "/proc/self/ns"));
        string[] inside = run.Said.Split('\n');
        Assert.Multiple(() =>
        {
            foreach (string name in (string[])["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"])
            {
                string host = $"{name}={new FileInfo($"/proc/self/ns/{name}").LinkTarget}";
                Assert.That(inside, Has.Some.StartsWith($"{name}={name}:["), run.ToString());
                Assert.That(inside, Does.Not.Contain(host));
            }
        });
    }

    [Test]
    public async Task Mounts_Inside_AreNeitherSharedNorSetUserId()
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("show", "/proc/self/mountinfo"));
        string[] mounts = run.Said["shown: ".Length..].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(mounts, Is.Not.Empty.And.All.Contains("nosuid").And.None.Contains(" shared:"), run.ToString());
    }

    // The box's first process holds no descriptor of the host: through one, a server could leave the folders it was given.
    [Test]
    public async Task Descriptors_OfTheFirstProcess_LeadNowhere()
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("links", "/proc/1/fd"));
        string[] leads = [.. run.Said.Split('\n').Select(static line => line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..])];
        Assert.That(
            leads.Where(static lead => !lead.StartsWith("pipe:", StringComparison.Ordinal) && !lead.StartsWith("failed: ", StringComparison.Ordinal) && lead is not ("anon_inode:[eventfd]" or "/dev/null")),
            Is.Empty,
            run.ToString());
    }

    [TestCase("/proc/1/environ")]
    [TestCase("/proc/1/cmdline")]
    public async Task FirstProcess_EnvironmentAndCommandLine_HoldNoSecret(string path)
    {
        Environment.SetEnvironmentVariable("MCP_GUARD_TEST_SECRET", "host-secret");
        JailRun run = await Probe.RunAsync(Probe.Boxed("show", path) with { Environment = [new IsolationVariable("TOKEN", "s3cret", Secret: true)] });
        Assert.That(run.Said, Does.StartWith("shown:").Or.StartWith("failed: "), run.ToString());
        Assert.That(run.Said, Does.Not.Contain("s3cret").And.Not.Contain("host-secret"));
    }

    [TestCase("read", "/proc/1/root/etc/shadow")]
    [TestCase("read", "/proc/self/cwd/../../../etc/shadow")]
    [TestCase("read", "/proc/kcore")]
    [TestCase("read", "/proc/kmsg")]
    [TestCase("read", "/sys/kernel/notes")]
    [TestCase("write", "/proc/sysrq-trigger")]
    [TestCase("write", "/proc/sys/kernel/modprobe")]
    [TestCase("write", "/proc/self/uid_map")]
    [TestCase("write", "/proc/self/setgroups")]
    [TestCase("write", "/dev/kmsg")]
    public async Task Proc_FilesOfTheKernel_AreNotInReach(string attempt, string path)
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed(attempt, path));
        Assert.That(run.Said, Does.StartWith("failed: ").And.Not.Contain("no such attempt"), run.ToString());
    }

    [TestCase(nameof(IsolationNetwork.Loopback), "connected")]
    [TestCase(nameof(IsolationNetwork.None), "failed: ")]
    public async Task OwnLoopback_IsThereOnlyWhereThePolicyGivesIt(string network, string saw)
    {
        JailRun run = await Probe.RunAsync(Probe.Boxed("own-loopback") with { Network = Enum.Parse<IsolationNetwork>(network) });
        Assert.That(run.Said, Does.StartWith(saw), run.ToString());
    }

    // Each folder is handed over by its number: with many of them the numbers reach those at which descriptors wait to be moved into place.
    [Test]
    public async Task Start_ManyFolders_EachIsTheOneThatWasListed()
    {
        const int Count = 200;
        string top = Probe.MakeFolder();
        try
        {
            string[] folders = [.. Enumerable.Range(0, Count).Select(i => Directory.CreateDirectory(Path.Combine(top, $"f{i:D3}")).FullName)];
            for (int i = 0; i < Count; i++)
            {
                File.WriteAllText(Path.Combine(folders[i], $"of-{i:D3}"), "x");
            }

            JailRun run = await Probe.RunAsync(Probe.Boxed("list-each", top) with { Readable = [.. folders, AppContext.BaseDirectory.TrimEnd('/')] });
            Assert.That(run.Said, Is.EqualTo(string.Join(' ', Enumerable.Range(0, Count).Select(i => $"f{i:D3}/of-{i:D3}"))), run.ToString());
        }
        finally
        {
            Directory.Delete(top, recursive: true);
        }
    }

    [Test]
    public async Task Start_ScriptThatTheBoxDoesNotShow_NamesTheFolder()
    {
        IsolationException? refused = await Assert.ThrowsAsync<IsolationException>(() => Probe.StartAsync(Probe.Boxed("exit", "0") with { Readable = [] }));
        Assert.Multiple(() =>
        {
            Assert.That(refused!.Fault, Is.EqualTo(IsolationFault.SourceRefused));
            Assert.That(refused.Fix, Does.Contain(AppContext.BaseDirectory.TrimEnd('/')).And.Contain("isolation.readable"));
        });
    }

    [Test]
    public async Task Start_ControlsThatAreNotInForce_AreLogged()
    {
        var log = new LineLog();
        await using ServerProcess boxed = await Probe.StartAsync(Probe.Boxed("exit", "0") with { FileSize = null }, logger: log);
        Assert.That(log.Lines, Has.Some.Contains("control file-size is not in force").And.None.Contains("runs without isolation"));
    }

    [Test]
    public async Task Start_ModeNone_IsLogged()
    {
        var log = new LineLog();
        await using ServerProcess free = await Probe.StartAsync(Probe.Options(IsolationMode.None, "exit", "0"), logger: log);
        Assert.That(log.Lines, Has.Some.Contains("runs without isolation").And.Some.Contains("control guard-files is not in force"));
    }

    private static string Number(int x64, int arm64) =>
        (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? arm64 : x64).ToString(CultureInfo.InvariantCulture);
}
