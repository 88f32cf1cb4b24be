using Mcp.Guard.Isolation.Seccomp;

namespace Mcp.Guard.Tests.Isolation;

/// <summary>The system-call filter of both architectures, run instruction by instruction.</summary>
[TestFixture]
internal sealed class SeccompFilterTests
{
    private const uint Allow = 0x7fff0000;
    private const uint Kill = 0x80000000;
    private const uint NotPermitted = 0x00050001;
    private const uint Ignored = 0x00050000;
    private const uint NoSuchCall = 0x00050026;
    private const uint NoSuchFamily = 0x00050061;
    private const int MostInstructions = 4096;

    private static readonly SeccompRules s_strict = new(InternetSockets: false, SharedMemory: false, ChooseProcessors: false);
    private static readonly SeccompRules s_loose = new(InternetSockets: true, SharedMemory: true, ChooseProcessors: true);
    private static readonly string[] s_judged = ["mmap", "socket", "socketpair", "clone", "ioctl", "personality", "memfd_create", "sched_setaffinity"];
    private static readonly string[] s_absent = ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"];

    private static readonly SeccompArchitecture[] s_architectures = [SeccompArchitecture.X64, SeccompArchitecture.Arm64];

    [Test]
    public void Create_EveryNumber_IsAllowedOnlyWhereListed([ValueSource(nameof(s_architectures))] SeccompArchitecture architecture)
    {
        byte[] program = SeccompFilter.Create(architecture, s_strict).ToBytes();
        var allowed = SyscallTable.All.Where(static call => !s_judged.Contains(call.Name) && !s_absent.Contains(call.Name)).Select(call => call.Number(architecture)).ToHashSet();
        var judged = SyscallTable.All.Where(static call => s_judged.Contains(call.Name)).Select(call => call.Number(architecture)).ToHashSet();
        var absent = SyscallTable.All.Where(static call => s_absent.Contains(call.Name)).Select(call => call.Number(architecture)).ToHashSet();
        Assert.That(program.Length / 8, Is.LessThan(MostInstructions));
        for (uint number = 0; number < 1024; number++)
        {
            if (judged.Contains((int)number))
            {
                continue;
            }

            uint expected = allowed.Contains((int)number) ? Allow : absent.Contains((int)number) || number > SyscallTable.HighestKnown ? NoSuchCall : NotPermitted;
            Assert.That(BpfMachine.Run(program, (uint)architecture, number), Is.EqualTo(expected), $"call {number}");
        }
    }

    [Test]
    public void Create_DangerousCall_IsNotListed()
    {
        string[] dangerous =
        [
            "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "bpf", "perf_event_open",
            "userfaultfd", "keyctl", "add_key", "request_key", "init_module", "finit_module", "delete_module", "kexec_load", "reboot", "swapon", "swapoff",
            "open_by_handle_at", "name_to_handle_at", "pidfd_getfd", "shmget", "shmat", "msgget", "semget", "mq_open", "acct", "quotactl", "settimeofday",
            "clock_settime", "adjtimex", "iopl", "ioperm", "modify_ldt", "move_mount", "open_tree", "fsopen", "fsmount", "mount_setattr", "fanotify_init", "syslog",
            "memfd_secret", "vmsplice", "mbind", "migrate_pages", "move_pages", "lookup_dcookie", "uselib", "vhangup",
        ];
        Assert.That(SyscallTable.All.Select(static call => call.Name).Intersect(dangerous), Is.Empty);
    }

    [Test]
    public void Create_AnotherArchitecture_EndsTheProcess([ValueSource(nameof(s_architectures))] SeccompArchitecture architecture)
    {
        byte[] program = SeccompFilter.Create(architecture, s_loose).ToBytes();
        const uint I386 = 0x40000003;
        const uint Arm = 0x40000028;
        Assert.Multiple(() =>
        {
            Assert.That(BpfMachine.Run(program, I386, 1), Is.EqualTo(Kill));
            Assert.That(BpfMachine.Run(program, Arm, 1), Is.EqualTo(Kill));
            Assert.That(BpfMachine.Run(program, (uint)architecture, 0x40000001), Is.EqualTo(Kill), "x32");
            Assert.That(BpfMachine.Run(program, (uint)architecture, uint.MaxValue), Is.EqualTo(Kill));
        });
    }

    [TestCase("clone", 0, 0x3d0f00UL, Allow)]
    [TestCase("clone", 0, 0x10000011UL, NotPermitted)]
    [TestCase("clone", 0, 0x00020011UL, NotPermitted)]
    [TestCase("clone", 0, 0x40000011UL, NotPermitted)]
    [TestCase("clone", 0, 0x02000011UL, NotPermitted)]
    [TestCase("ioctl", 1, 0x5412UL, NotPermitted)]
    [TestCase("ioctl", 1, 0x1_0000_5412UL, NotPermitted)]
    [TestCase("ioctl", 1, 0x541cUL, NotPermitted)]
    [TestCase("ioctl", 1, 0x5413UL, Allow)]
    [TestCase("personality", 0, 0UL, Allow)]
    [TestCase("personality", 0, 0xffffffffUL, Allow)]
    [TestCase("personality", 0, 0x0400000UL, NotPermitted)]
    [TestCase("mmap", 3, 0x22UL, Allow)]
    [TestCase("mmap", 3, 0x01UL, Allow)]
    [TestCase("mmap", 3, 0x21UL, NotPermitted)]
    [TestCase("mmap", 3, 0x23UL, NotPermitted)]
    [TestCase("mmap", 3, 0x8021UL, NotPermitted)]
    [TestCase("mmap", 3, 0x122UL, NotPermitted)]
    [TestCase("mmap", 3, 0x20022UL, Allow)]
    [TestCase("socketpair", 0, 1UL, Allow)]
    [TestCase("socketpair", 0, 30UL, NoSuchFamily)]
    [TestCase("memfd_create", 0, 0UL, NotPermitted)]
    [TestCase("sched_setaffinity", 0, 0UL, Ignored)]
    [TestCase("socket", 0, 1UL, Allow)]
    [TestCase("socket", 0, 2UL, NoSuchFamily)]
    [TestCase("socket", 0, 10UL, NoSuchFamily)]
    [TestCase("socket", 0, 0x1_0000_0002UL, NoSuchFamily)]
    [TestCase("socket", 0, 16UL, NoSuchFamily)]
    [TestCase("socket", 0, 40UL, NoSuchFamily)]
    public void Create_Strict_JudgesByArgument(string name, int argument, ulong value, uint expected) => Judges(s_strict, name, argument, value, expected);

    [TestCase("mmap", 3, 0x21UL, Allow)]
    [TestCase("mmap", 3, 0x122UL, Allow)]
    [TestCase("socketpair", 0, 2UL, NoSuchFamily)]
    [TestCase("memfd_create", 0, 0UL, Allow)]
    [TestCase("sched_setaffinity", 0, 0UL, Allow)]
    [TestCase("socket", 0, 1UL, Allow)]
    [TestCase("socket", 0, 2UL, Allow)]
    [TestCase("socket", 0, 10UL, Allow)]
    [TestCase("socket", 0, 16UL, Allow)]
    [TestCase("socket", 0, 17UL, NoSuchFamily)]
    [TestCase("socket", 0, 38UL, NoSuchFamily)]
    [TestCase("socket", 0, 40UL, NoSuchFamily)]
    public void Create_Loose_JudgesByArgument(string name, int argument, ulong value, uint expected) => Judges(s_loose, name, argument, value, expected);

    [Test]
    public void Create_NetlinkSocket_OnlyOfRoutes()
    {
        byte[] program = SeccompFilter.Create(SeccompArchitecture.X64, s_loose).ToBytes();
        uint socket = (uint)SyscallTable.Number("socket", SeccompArchitecture.X64);
        Assert.Multiple(() =>
        {
            Assert.That(BpfMachine.Run(program, (uint)SeccompArchitecture.X64, socket, 16, 3, 0), Is.EqualTo(Allow));
            Assert.That(BpfMachine.Run(program, (uint)SeccompArchitecture.X64, socket, 16, 3, 15), Is.EqualTo(NoSuchFamily));
        });
    }

    [Test]
    public void Table_Numbers_AreDistinctAndKnown([ValueSource(nameof(s_architectures))] SeccompArchitecture architecture)
    {
        int[] numbers = [.. SyscallTable.All.Select(call => call.Number(architecture)).Where(static number => number >= 0)];
        Assert.Multiple(() =>
        {
            Assert.That(numbers, Is.Unique);
            Assert.That(numbers, Has.All.LessThanOrEqualTo(SyscallTable.HighestKnown));
        });
    }

    private static void Judges(SeccompRules rules, string name, int argument, ulong value, uint expected)
    {
        ulong[] arguments = new ulong[6];
        arguments[argument] = value;
        Assert.Multiple(() =>
        {
            foreach (SeccompArchitecture architecture in s_architectures)
            {
                byte[] program = SeccompFilter.Create(architecture, rules).ToBytes();
                Assert.That(BpfMachine.Run(program, (uint)architecture, (uint)SyscallTable.Number(name, architecture), arguments), Is.EqualTo(expected), architecture.ToString());
            }
        });
    }
}
