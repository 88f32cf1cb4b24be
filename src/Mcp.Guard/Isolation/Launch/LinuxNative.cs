using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>
/// The Linux calls that <see cref="System.Diagnostics.Process"/> cannot make: start a child with chosen descriptors and no others, in a
/// session of its own, and signal a process without the race of a reused id. Every argument is blittable, so no unsafe code is needed.
/// </summary>
internal static class LinuxNative
{
    public const int SigTerm = 15;
    public const int SigKill = 9;
    public const int ErrorInterrupted = 4;
    public const int ErrorNoChild = 10;
    public const int ErrorAgain = 11;
    public const int OpenReadOnly = 0;
    public const int OpenCloseOnExec = 0x80000;
    public const int OpenPath = 0x200000;
    public const int DuplicateCloseOnExec = 1030;
    public const int WaitById = 1;
    public const int WaitExited = 4;
    public const int WaitKeep = 0x1000000;

    /// <summary>POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID, the same in glibc and musl.</summary>
    public const short SpawnFlags = 0x04 | 0x08 | 0x80;

    /// <summary>Room for posix_spawnattr_t, posix_spawn_file_actions_t and siginfo_t: at most 336 bytes in glibc and musl.</summary>
    public const int StructRoom = 1024;

    /// <summary>Room for sigset_t: 128 bytes in glibc and musl.</summary>
    public const int SignalSetRoom = 128;

    /// <summary>Room for struct statfs: 120 bytes on 64-bit Linux.</summary>
    private const int SpaceRoom = 256;
    private const int CompareMemory = 1;

    // The same numbers on every 64-bit Linux (asm-generic since 5.1).
    private const long PidfdSendSignalNumber = 424;
    private const long PidfdOpenNumber = 434;

    [DllImport("libc", EntryPoint = "posix_spawn")]
    public static extern int PosixSpawn(out int pid, byte[] path, IntPtr fileActions, IntPtr attributes, IntPtr[] arguments, IntPtr[] environment);

    [DllImport("libc", EntryPoint = "posix_spawnattr_init")]
    public static extern int SpawnAttributesInit(IntPtr attributes);

    [DllImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    public static extern int SpawnAttributesDestroy(IntPtr attributes);

    [DllImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    public static extern int SpawnAttributesSetFlags(IntPtr attributes, short flags);

    [DllImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    public static extern int SpawnAttributesSetDefaultSignals(IntPtr attributes, byte[] signals);

    [DllImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    public static extern int SpawnAttributesSetMask(IntPtr attributes, byte[] signals);

    [DllImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    public static extern int FileActionsInit(IntPtr actions);

    [DllImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    public static extern int FileActionsDestroy(IntPtr actions);

    [DllImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static extern int FileActionsDuplicate(IntPtr actions, int from, int to);

    [DllImport("libc", EntryPoint = "posix_spawn_file_actions_addclose")]
    public static extern int FileActionsClose(IntPtr actions, int descriptor);

    /// <summary>glibc 2.34 and later; musl has none.</summary>
    [DllImport("libc", EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    public static extern int FileActionsCloseFrom(IntPtr actions, int descriptor);

    /// <summary>glibc 2.29, musl 1.1.24 and later.</summary>
    [DllImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np")]
    public static extern int FileActionsChangeFolder(IntPtr actions, byte[] path);

    [DllImport("libc", EntryPoint = "sigfillset")]
    public static extern int FillSignalSet(byte[] signals);

    [DllImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    public static extern int Pipe(int[] descriptors, int flags);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    public static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    public static extern int Close(int descriptor);

    [DllImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static extern int Poll([In, Out] LinuxPoll[] watched, nuint count, int milliseconds);

    [DllImport("libc", EntryPoint = "read", SetLastError = true)]
    public static extern nint Read(SafePipeHandle descriptor, ref byte buffer, nuint count);

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static extern int FileControl(int descriptor, int command, int argument);

    [DllImport("libc", EntryPoint = "waitid", SetLastError = true)]
    public static extern int WaitId(int kind, int id, IntPtr information, int options);

    [DllImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    public static extern int WaitPid(int pid, out int status, int options);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static extern int Kill(int pid, int signal);

    [DllImport("libc", EntryPoint = "chown", SetLastError = true)]
    public static extern int ChangeOwner(byte[] path, uint user, uint group);

    [DllImport("libc", EntryPoint = "geteuid")]
    public static extern uint EffectiveUser();

    [DllImport("libc", EntryPoint = "getegid")]
    public static extern uint EffectiveGroup();

    /// <summary>A descriptor that means this process and never another one that got its id later; below 0 where the kernel has none (before 5.3).</summary>
    public static int OpenPidDescriptor(int pid) => (int)SystemCall(PidfdOpenNumber, pid, 0, 0, 0);

    public static bool SignalPidDescriptor(int descriptor, int signal) => SystemCall(PidfdSendSignalNumber, descriptor, signal, 0, 0) == 0;

    /// <summary>Whether two processes are one in memory, as after vfork. False also where the kernel does not tell.</summary>
    public static bool IsSameMemory(int one, int other)
    {
        long number = RuntimeInformation.ProcessArchitecture switch { Architecture.X64 => 312, Architecture.Arm64 => 272, _ => -1 };
        return number > 0 && SystemCall(number, one, other, CompareMemory, 0) == 0;
    }

    /// <summary>The bytes in use of the file system that a path lies on, where that is of the wanted kind.</summary>
    public static bool TryReadSpace(string path, long kind, out long used)
    {
        // f_type, f_bsize, f_blocks, f_bfree: 64 bits each on 64-bit Linux.
        long[] space = new long[SpaceRoom / sizeof(long)];
        bool read = FileSystemSpace(LinuxDescriptor.ToCString(path), space) == 0 && space[0] == kind && space[1] is > 0 and <= 1 << 30;
        used = read ? Math.Max(0, space[2] - space[3]) * space[1] : 0;
        return read;
    }

    [DllImport("libc", EntryPoint = "statfs", SetLastError = true)]
    private static extern int FileSystemSpace(byte[] path, long[] space);

    // syscall(2) is variadic in C; on 64-bit Linux integer arguments travel in the same registers either way.
    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static extern long SystemCall(long number, long first, long second, long third, long fourth);
}
