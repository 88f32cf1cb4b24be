namespace Mcp.Guard.Isolation.Seccomp;

/// <summary>
/// Builds the system-call filter of a box: an allowlist. Calls that are not on it fail with EPERM, calls newer than the list with
/// ENOSYS, so that a C library tries the older one; another architecture's calls (32-bit, x32) end the process.
/// </summary>
internal static class SeccompFilter
{
    private const uint Allow = 0x7fff0000;
    private const uint KillProcess = 0x80000000;
    private const uint NotPermitted = Fail | 1;
    private const uint NoSuchFamily = Fail | 97;
    private const uint NoSuchCall = Fail | 38;
    private const uint Fail = 0x00050000;

    // Not done and answered 0: .NET does not start where this call fails.
    private const uint Ignored = Fail;

    // struct seccomp_data: number, architecture, instruction pointer, six arguments of 64 bits.
    private const int NumberOffset = 0;
    private const int ArchitectureOffset = 4;
    private const int ArgumentsOffset = 16;

    private const uint X32Bit = 0x40000000;

    // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
    private const uint NewNamespaces = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000;

    private const uint FamilyUnix = 1;
    private const uint FamilyInternet = 2;
    private const uint FamilyInternet6 = 10;
    private const uint FamilyNetlink = 16;

    // Terminal requests that put input into another session's terminal (TIOCSTI, TIOCLINUX).
    private const uint TerminalInput = 0x5412;
    private const uint TerminalPaste = 0x541c;

    // MAP_SHARED and MAP_ANONYMOUS; MAP_SHARED_VALIDATE has the first bit too.
    private const uint SharedAnonymous = 0x21;

    // MAP_GROWSDOWN: the kernel counts such memory as stack, not as data (mm/mmap.c, is_data_mapping), and tests the stack's limit only when it grows.
    private const uint GrowsDown = 0x0100;

    private static readonly string[] s_notImplemented = ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"];

    public static BpfBlock Create(SeccompArchitecture architecture, SeccompRules rules)
    {
        BpfBlock known = ByNumber(architecture, rules);
        BpfBlock byNumber = BpfBlock.Load(NumberOffset, BpfBlock.Choose(BpfCode.JumpIfAtLeast, X32Bit, BpfBlock.Return(KillProcess), known));
        return BpfBlock.Load(ArchitectureOffset, BpfBlock.Choose(BpfCode.JumpIfEqual, (uint)architecture, byNumber, BpfBlock.Return(KillProcess)));
    }

    // A search tree over ranges of numbers with the same answer: about eight comparisons a call.
    private static BpfBlock ByNumber(SeccompArchitecture architecture, SeccompRules rules)
    {
        var answers = new BpfBlock[SyscallTable.HighestKnown + 2];
        BpfBlock allowed = BpfBlock.Return(Allow);
        Array.Fill(answers, BpfBlock.Return(NotPermitted));
        answers[^1] = BpfBlock.Return(NoSuchCall);
        BpfBlock newer = answers[^1];
        foreach (Syscall call in SyscallTable.All)
        {
            int number = call.Number(architecture);
            if (number >= 0)
            {
                answers[number] = s_notImplemented.Contains(call.Name, StringComparer.Ordinal) ? newer : Judge(call.Name, rules, allowed);
            }
        }

        var starts = new List<(int First, BpfBlock Answer)>();
        for (int number = 0; number < answers.Length; number++)
        {
            if (starts.Count == 0 || !ReferenceEquals(starts[^1].Answer, answers[number]))
            {
                starts.Add((number, answers[number]));
            }
        }

        return Search(starts, 0, starts.Count);
    }

    // Halves its range each time: no deeper than the logarithm of the table's size.
    private static BpfBlock Search(List<(int First, BpfBlock Answer)> starts, int from, int to)
    {
        if (to - from == 1)
        {
            return starts[from].Answer;
        }

        int middle = (from + to) / 2;
        return BpfBlock.Choose(BpfCode.JumpIfAtLeast, (uint)starts[middle].First, Search(starts, middle, to), Search(starts, from, middle));
    }

    // Only the low half of an argument is compared where the kernel reads no more than that (int, unsigned int).
    private static BpfBlock Judge(string name, SeccompRules rules, BpfBlock allowed)
    {
        BpfBlock refused = BpfBlock.Return(NotPermitted);
        return name switch
        {
            "clone" => LoadArgument(0, BpfBlock.Choose(BpfCode.JumpIfAnyBit, NewNamespaces, refused, allowed)),
            "ioctl" => LoadArgument(1, OneOf([TerminalInput, TerminalPaste], refused, allowed)),
            "personality" => LoadArgument(0, OneOf([0, uint.MaxValue], allowed, refused)),
            "socket" => JudgeSocket(rules, allowed),
            "socketpair" => LoadArgument(0, OneOf([FamilyUnix], allowed, BpfBlock.Return(NoSuchFamily))),
            "mmap" when !rules.SharedMemory => LoadArgument(3, BpfBlock.Choose(
                BpfCode.JumpIfAnyBit,
                GrowsDown,
                refused,
                BpfBlock.Mask(SharedAnonymous, BpfBlock.Choose(BpfCode.JumpIfEqual, SharedAnonymous, refused, allowed)))),
            "memfd_create" when !rules.SharedMemory => refused,
            "sched_setaffinity" when !rules.ChooseProcessors => BpfBlock.Return(Ignored),
            _ => allowed,
        };
    }

    private static BpfBlock JudgeSocket(SeccompRules rules, BpfBlock allowed)
    {
        BpfBlock refused = BpfBlock.Return(NoSuchFamily);
        if (!rules.InternetSockets)
        {
            return LoadArgument(0, OneOf([FamilyUnix], allowed, refused));
        }

        // Of the kernel's own sockets only the one that lists interfaces and routes (protocol 0).
        BpfBlock netlink = LoadArgument(2, OneOf([0], allowed, refused));
        BpfBlock family = BpfBlock.Choose(BpfCode.JumpIfEqual, FamilyNetlink, netlink, OneOf([FamilyUnix, FamilyInternet, FamilyInternet6], allowed, refused));
        return LoadArgument(0, family);
    }

    private static BpfBlock LoadArgument(int index, BpfBlock then) => BpfBlock.Load(ArgumentsOffset + (index * 8), then);

    private static BpfBlock OneOf(ReadOnlySpan<uint> values, BpfBlock ifEqual, BpfBlock otherwise)
    {
        BpfBlock block = otherwise;
        foreach (uint value in values)
        {
            block = BpfBlock.Choose(BpfCode.JumpIfEqual, value, ifEqual, block);
        }

        return block;
    }
}
