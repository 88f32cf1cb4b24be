using System.Runtime.InteropServices;

namespace Mcp.Guard.Stages.Roots;

/// <summary>
/// The system calls that the class library has no counterpart for: reading one link, and opening one name below an open folder without
/// following a link. Only <see cref="UnixLinkReader"/> and the safe open use them.
/// </summary>
internal static partial class UnixCalls
{
    public const int NotPermitted = 1;      // EPERM
    public const int NoEntry = 2;           // ENOENT
    public const int NotAFolder = 20;       // ENOTDIR
    public const int InvalidArgument = 22;  // EINVAL

    /// <summary>The folder argument that means "the path is absolute" (AT_FDCWD).</summary>
    public const int NoFolder = -100;

    public const int OpenCloseOnExec = 0x80000;
    public const int OpenNonBlocking = 0x800;
    public const int OpenCreate = 0x40;
    public const int OpenExclusive = 0x80;
    public const int OpenWriteOnly = 0x1;
    public const int OpenPathOnly = 0x200000;
    public const ulong ResolveNoLinks = 0x04 | 0x02; // RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS

    // Linux numbers these two by architecture.
    private static readonly bool ArmNumbers = RuntimeInformation.ProcessArchitecture
        is Architecture.Arm or Architecture.Arm64 or Architecture.Armv6 or Architecture.Ppc64le;

    public static int OpenFolder => ArmNumbers ? 0x4000 : 0x10000;

    public static int OpenNoFollow => ArmNumbers ? 0x8000 : 0x20000;

    /// <summary>openat2 has the number 437 on every architecture; the C library has no function for it.</summary>
    public const int OpenAt2Number = 437;

    [StructLayout(LayoutKind.Sequential)]
    public struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true)]
    public static partial nint ReadLink(ReadOnlySpan<byte> path, Span<byte> target, nuint size);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    public static partial nint OpenAt2(nint number, nint folder, ReadOnlySpan<byte> path, ref OpenHow how, nuint size);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    public static partial int OpenAt(int folder, ReadOnlySpan<byte> name, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true)]
    public static partial int RenameAt(int oldFolder, ReadOnlySpan<byte> oldName, int newFolder, ReadOnlySpan<byte> newName);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int UnlinkAt(int folder, ReadOnlySpan<byte> name, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    public static partial int StatX(int folder, ReadOnlySpan<byte> name, int flags, uint mask, Span<byte> result);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int handle);
}
