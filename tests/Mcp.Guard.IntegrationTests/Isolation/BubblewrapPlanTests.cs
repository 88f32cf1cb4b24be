using Mcp.Guard.Isolation;
using Mcp.Guard.Isolation.Seccomp;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>What bubblewrap mode plans and refuses, for machines that are only described; runs anywhere.</summary>
[TestFixture]
internal sealed class BubblewrapPlanTests
{
    private static readonly IsolationHost s_host = new()
    {
        IsLinux = true,
        Bubblewrap = "/usr/bin/bwrap",
        BubblewrapBindsDescriptors = true,
        SetPrivileges = "/usr/bin/setpriv",
        SetLimits = "/usr/bin/prlimit",
        SetProcessors = "/usr/bin/taskset",
        User = new JailUser(1000, 1000),
        Architecture = SeccompArchitecture.X64,
        Processors = [4, 5, 6, 7],
        HomeFolder = "/home/host",
        Files = new FakeFiles("/home", "/home/host", "/opt", "/opt/server.bin", "/srv", "/srv/project", "/srv/project/deep", "/bin", "/etc/ld.so.cache"),
    };

    private static readonly IsolationOptions s_options = new()
    {
        Server = "files",
        InstanceId = "0a1b2c",
        Mode = IsolationMode.Bubblewrap,
        Executable = "/opt/server.bin",
        Arguments = ["--flag", "$(x) ;"],
        Readable = ["/srv/project/deep"],
        Writable = ["/srv/project"],
        Environment = [new("TOKEN", "s3cret", Secret: true)],
        Memory = 256 << 20,
        Cpus = 1.5,
    };

    [Test]
    public void Describe_Plan_GivesTheApprovedText()
    {
        string received = IsolationPlanner.Create(s_options, s_host).Describe();
        string approved = Path.Combine(AppContext.BaseDirectory, "Isolation", "Approved", "bubblewrap-describe.txt");
        if (!File.Exists(approved) || File.ReadAllText(approved) != received)
        {
            File.WriteAllText(Path.Combine(AppContext.BaseDirectory, "bubblewrap-describe.received.txt"), received);
            Assert.Fail($"not the approved text; received:\n{received}");
        }
    }

    [Test]
    public void Create_OuterAndInnerFolder_InnerIsMountedLast()
    {
        IsolationPlan plan = IsolationPlanner.Create(s_options, s_host);
        string[] targets = [.. plan.Handover!.Mounts.Select(static mount => mount.Target)];
        Assert.That(Array.IndexOf(targets, "/srv/project"), Is.LessThan(Array.IndexOf(targets, "/srv/project/deep")));
    }

    [Test]
    public void Create_RootHost_LeavesRootBeforeTheBox()
    {
        IsolationPlan plan = IsolationPlanner.Create(s_options, s_host with { User = new JailUser(0, 0) });
        Assert.Multiple(() =>
        {
            Assert.That(plan.Executable, Is.EqualTo("/usr/bin/setpriv"));
            Assert.That(plan.Arguments, Does.Contain("--reuid=65534").And.Contain("--clear-groups").And.Contain("--no-new-privs"));
        });
    }

    [Test]
    public void Create_DelegatedCgroup_HoldsTheTotal()
    {
        IsolationPlan plan = IsolationPlanner.Create(s_options with { Required = [IsolationControls.TotalMemory] }, s_host with { CgroupParent = "/sys/fs/cgroup/guard.service" });
        Assert.Multiple(() =>
        {
            Assert.That(plan.Cgroup!.Folder, Is.EqualTo("/sys/fs/cgroup/guard.service/mcp-guard-0a1b2c"));
            Assert.That(plan.Cgroup.Settings, Does.Contain(new KeyValuePair<string, string>("memory.max", "268435456")).And.Contain(new KeyValuePair<string, string>("cpu.max", "150000 100000")).And.Contain(new KeyValuePair<string, string>("pids.max", "258")));
        });
    }

    private static IEnumerable<TestCaseData> Refusals()
    {
        yield return Refusal("no mode", s_options with { Mode = IsolationMode.Unset }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("no bubblewrap", s_options, s_host with { Bubblewrap = null }, IsolationFault.ModeUnavailable);
        yield return Refusal("old bubblewrap", s_options, s_host with { BubblewrapBindsDescriptors = false }, IsolationFault.ModeUnavailable);
        yield return Refusal("not Linux", s_options, s_host with { IsLinux = false }, IsolationFault.ModeUnavailable);
        yield return Refusal("no filter", s_options, s_host with { Architecture = null }, IsolationFault.ModeUnavailable);
        yield return Refusal("root without setpriv", s_options, s_host with { User = new JailUser(0, 0), SetPrivileges = null }, IsolationFault.ModeUnavailable);
        yield return Refusal("root inside", s_options with { User = "0" }, s_host with { User = new JailUser(0, 0) }, IsolationFault.InvalidOptions);
        yield return Refusal("another user", s_options with { User = "1001" }, s_host, IsolationFault.ControlUnavailable);
        yield return Refusal("user by name", s_options with { User = "nobody" }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("total memory without cgroup", s_options with { Required = [IsolationControls.TotalMemory] }, s_host, IsolationFault.ControlUnavailable);
        yield return Refusal("limit that is not set", s_options with { FileSize = null, Required = [IsolationControls.FileSize] }, s_host, IsolationFault.ControlUnavailable);
        yield return Refusal("limits without prlimit", s_options with { Required = [IsolationControls.OpenFiles] }, s_host with { SetLimits = null }, IsolationFault.ControlUnavailable);
        yield return Refusal("unknown control", s_options with { Required = ["everything"] }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("relative program", s_options with { Executable = "node" }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("program that is not there", s_options with { Executable = "/opt/other.bin" }, s_host, IsolationFault.SourceRefused);
        yield return Refusal("folder that is not there", s_options with { Readable = ["/srv/other"] }, s_host, IsolationFault.SourceRefused);
        yield return Refusal("relative folder", s_options with { Readable = ["srv"] }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("everything", s_options with { Readable = ["/"] }, s_host, IsolationFault.SourceRefused);
        yield return Refusal("home", s_options with { Readable = ["/home/host"] }, s_host, IsolationFault.SourceRefused);
        yield return Refusal("above home", s_options with { Writable = ["/home/host/.."] }, s_host, IsolationFault.SourceRefused);
        yield return Refusal("writable system", s_options with { Writable = ["/bin"] }, s_host, IsolationFault.SourceRefused);
        yield return Refusal("policy among the system's files", s_options with { GuardPaths = ["/usr/share/mcp-guard.json"] }, s_host, IsolationFault.GuardFilesExposed);
        yield return Refusal("working directory outside", s_options with { WorkingDirectory = "/opt" }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("variable with an equals sign", s_options with { Environment = [new("A=B", "c")] }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("variable twice", s_options with { Environment = [new("A", "b"), new("A", "c")] }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("zero character", s_options with { Arguments = ["a\0b"] }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("instance id", s_options with { InstanceId = "../x" }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("no processes", s_options with { Processes = 0 }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("not a number of processors", s_options with { Cpus = double.NaN }, s_host, IsolationFault.InvalidOptions);
        yield return Refusal("file system without a box", s_options with { Mode = IsolationMode.None, Required = [IsolationControls.FileSystem] }, s_host, IsolationFault.ControlUnavailable);
        yield return Refusal("loader variable without a box", s_options with { Mode = IsolationMode.None, Environment = [new("LD_PRELOAD", "/x.so")] }, s_host, IsolationFault.InvalidOptions);
    }

    [TestCaseSource(nameof(Refusals))]
    public void Create_WhatCannotBeHeld_IsRefusedWithTheFix(IsolationOptions options, IsolationHost host, IsolationFault fault)
    {
        IsolationException? refused = Assert.Throws<IsolationException>(() => IsolationPlanner.Create(options, host));
        Assert.Multiple(() =>
        {
            Assert.That(refused!.Fault, Is.EqualTo(fault), refused.Message);
            Assert.That(refused.Fix, Is.Not.Empty);
            Assert.That(refused.Message, Does.Contain("'files'"));
        });
    }

    [TestCase(IsolationPreset.Node, "/srv/app/node_modules/@x/y/dist/index.js", "/srv/app/node_modules", true)]
    [TestCase(IsolationPreset.Node, "/srv/tool/dist/index.js", "/srv/tool", true)]
    [TestCase(IsolationPreset.Python, "/srv/tool/server.py", "/srv/tool", true)]
    [TestCase(IsolationPreset.Dotnet, "/srv/tool/server.dll", "/srv/tool", false)]
    public void Create_ScriptOutsideTheBox_NamesTheFolderToList(object preset, string script, string folder, bool afterOption)
    {
        IsolationHost host = s_host with
        {
            Files = new FakeFiles(
                "/opt", "/opt/run.bin", "/srv", "/srv/project", "/srv/project/deep", "/srv/app", "/srv/app/node_modules", "/srv/app/node_modules/@x/y/dist/index.js",
                "/srv/tool", "/srv/tool/package.json", "/srv/tool/dist", "/srv/tool/dist/index.js", "/srv/tool/server.py", "/srv/tool/server.dll"),
        };
        IsolationOptions options = s_options with
        {
            Executable = "/opt/run.bin",
            Preset = (IsolationPreset)preset,
            Arguments = afterOption ? ["-B", script] : ["exec", script],
        };
        IsolationException? refused = Assert.Throws<IsolationException>(() => IsolationPlanner.Create(options, host));
        Assert.Multiple(() =>
        {
            Assert.That(refused!.Fault, Is.EqualTo(IsolationFault.SourceRefused));
            Assert.That(refused.Fix, Does.Contain($"Add {folder} to isolation.readable"));
            Assert.That(() => IsolationPlanner.Create(options with { Readable = [folder, "/srv/project/deep"] }, host), Throws.Nothing);
        });
    }

    [Test]
    public void Create_RelativeScriptWithoutAWorkingDirectory_IsRefused() =>
        Assert.That(
            () => IsolationPlanner.Create(s_options with { Preset = IsolationPreset.Node, Arguments = ["index.js"] }, s_host),
            Throws.TypeOf<IsolationException>().With.Message.Contains("relative"));

    [Test]
    public void Create_WithoutABox_SaysWhatIsNotInForce()
    {
        IsolationPlan plan = IsolationPlanner.Create(s_options with { Mode = IsolationMode.None }, s_host);
        string[] missing = [.. plan.Controls.Where(static control => !control.InForce).Select(static control => control.Control)];
        Assert.That(missing, Does.Contain(IsolationControls.FileSystem).And.Contain(IsolationControls.Network).And.Contain(IsolationControls.SystemCalls).And.Contain(IsolationControls.ProcessTree));
    }

    // Nothing masks the guard's files without a box: what the server's user can change is named, also where a file is not there yet or only its folder is open.
    [TestCase(1000u, "its user can change the guard's own /srv/guard, /srv/guard/policy.json, /srv/state/pins.json")]
    [TestCase(1001u, "it can change none of them")]
    [TestCase(0u, "own /etc/locked.json, /srv/guard")]
    public void Create_WithoutABox_NamesTheGuardFilesThatItsUserCanChange(uint user, string says)
    {
        var owned = new OwnedFiles(new JailUser(1000, 1000), "/opt/server.bin", "/srv/guard", "/srv/guard/policy.json", "/srv/state");
        IsolationPlan plan = IsolationPlanner.Create(
            s_options with
            {
                Mode = IsolationMode.None,
                Readable = [],
                Writable = [],
                GuardPaths = ["/srv/guard", "/srv/guard/policy.json", "/srv/state/pins.json", "/etc/locked.json"],
            },
            s_host with { User = new JailUser(user, user), Files = owned });
        IsolationControlStatus status = plan.Controls.Single(static control => control.Control == IsolationControls.GuardFiles);
        Assert.Multiple(() =>
        {
            Assert.That(status.InForce, Is.False);
            Assert.That(status.Detail, Does.Contain(says));
            Assert.That(plan.Describe(), Does.Contain(says));
        });
    }

    [Test]
    public void Create_WithoutABoxAndManyFiles_NamesTheFirst()
    {
        IsolationPlan plan = IsolationPlanner.Create(
            s_options with { Mode = IsolationMode.None, Readable = [], Writable = [], GuardPaths = [.. Enumerable.Range(0, 20).Select(static i => $"/srv/g{i:D2}")] }, s_host);
        Assert.That(plan.Describe(), Does.Contain("/srv/g07 and 12 more").And.Not.Contain("/srv/g08"));
    }

    [TestCase(nameof(IsolationMode.None))]
    [TestCase(nameof(IsolationMode.Bubblewrap))]
    public void Create_AnyMode_ReportsEveryControlOnce(string mode)
    {
        IsolationPlan plan = IsolationPlanner.Create(s_options with { Mode = Enum.Parse<IsolationMode>(mode) }, s_host);
        Assert.That(plan.Controls.Select(static control => control.Control), Is.EquivalentTo(IsolationControls.All));
    }

    private static TestCaseData Refusal(string name, IsolationOptions options, IsolationHost host, IsolationFault fault) => new TestCaseData(options, host, fault).SetArgDisplayNames(name);
}
