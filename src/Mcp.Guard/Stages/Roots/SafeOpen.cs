using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Mcp.Guard.Stages.Roots;

/// <summary>
/// Opens the file that a check allowed, name by name from the top, each below the folder just opened and never through a link (openat with
/// O_NOFOLLOW). The checked path holds no link, so a link met here was put there after the check, and the open is refused: no order of swaps
/// leads outside. Linux only; other systems are refused, because what they offer resolves the path as a whole.
/// </summary>
internal static class SafeOpen
{
    private const int RegularFile = 0x8000;     // S_IFREG
    private const int TypeMask = 0xF000;        // S_IFMT
    private const uint WantType = 0x1;          // STATX_TYPE
    private const int EmptyPath = 0x1000;       // AT_EMPTY_PATH
    private const int NoFollowLast = 0x100;     // AT_SYMLINK_NOFOLLOW
    private const int ModeOffset = 28;          // stx_mode in struct statx
    private const int StatSize = 256;
    private const int Interrupted = 4;          // EINTR
    private const int ReadWriteForOwner = 0x1A4; // 0644, less the umask

    public static bool IsAvailable => OperatingSystem.IsLinux();

    /// <summary>Opens an existing regular file for reading.</summary>
    public static FileStream OpenRead(string resolved) => Open(resolved, write: false);

    /// <summary>Opens a regular file for writing at its start, creating it where it does not exist; nothing is cut off.</summary>
    public static FileStream OpenWrite(string resolved) => Open(resolved, write: true);

    /// <summary>
    /// Writes a file whole: to a new name beside it, then renamed over it. What stood at the name is replaced, not written through, so
    /// neither a link nor a second hard link carries the bytes elsewhere.
    /// </summary>
    public static void Replace(string resolved, ReadOnlySpan<byte> content)
    {
        using SafeFileHandle folder = OpenFolderOf(resolved, out byte[] name);
        byte[] temporary = Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $".mcp-guard-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}.tmp\0"));
        int folderNumber = (int)folder.DangerousGetHandle();
        using (SafeFileHandle file = OpenBelow(
            folder, temporary, UnixCalls.OpenWriteOnly | UnixCalls.OpenCreate | UnixCalls.OpenExclusive | UnixCalls.OpenNoFollow, ReadWriteForOwner))
        {
            RandomAccess.Write(file, content, 0);
            RandomAccess.FlushToDisk(file);
        }

        if (UnixCalls.RenameAt(folderNumber, temporary, folderNumber, name) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            _ = UnixCalls.UnlinkAt(folderNumber, temporary, 0);
            throw Fault(error);
        }
    }

    private static FileStream Open(string resolved, bool write)
    {
        using SafeFileHandle folder = OpenFolderOf(resolved, out byte[] name);

        // A pipe or a device must not even be opened: that alone can block, or act.
        if (!IsRegularFile((int)folder.DangerousGetHandle(), name, NoFollowLast, missingIsFine: write))
        {
            throw Refused(PathDenial.NotARegularFile);
        }

        int flags = UnixCalls.OpenNoFollow | UnixCalls.OpenNonBlocking | (write ? UnixCalls.OpenWriteOnly | UnixCalls.OpenCreate : 0);
        SafeFileHandle file = OpenBelow(folder, name, flags, ReadWriteForOwner);
        try
        {
            if (!IsRegularFile((int)file.DangerousGetHandle(), [0], EmptyPath, missingIsFine: false))
            {
                throw Refused(PathDenial.NotARegularFile);
            }

            return new FileStream(file, write ? FileAccess.Write : FileAccess.Read);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static SafeFileHandle OpenFolderOf(string resolved, out byte[] name)
    {
        if (!IsAvailable)
        {
            throw new PlatformNotSupportedException(PathDenials.Describe(PathDenial.SafeOpenUnavailable));
        }

        if (resolved.Length < 2 || resolved[0] != '/' || resolved.Contains('\0', StringComparison.Ordinal))
        {
            throw Refused(PathDenial.NotARegularFile);
        }

        // O_PATH: a folder needs only search permission to be gone through.
        int folderFlags = UnixCalls.OpenPathOnly | UnixCalls.OpenFolder | UnixCalls.OpenNoFollow;
        SafeFileHandle folder = Wrap(UnixCalls.OpenAt(UnixCalls.NoFolder, [(byte)'/', 0], folderFlags | UnixCalls.OpenCloseOnExec, 0));
        int at = 1;
        while (true)
        {
            int end = resolved.IndexOf('/', at);
            name = new byte[Encoding.UTF8.GetByteCount(resolved.AsSpan(at, (end < 0 ? resolved.Length : end) - at)) + 1];
            Encoding.UTF8.GetBytes(resolved.AsSpan(at, (end < 0 ? resolved.Length : end) - at), name);
            if (end < 0)
            {
                return folder;
            }

            using SafeFileHandle above = folder;
            folder = OpenBelow(above, name, folderFlags, 0);
            at = end + 1;
        }
    }

    private static SafeFileHandle OpenBelow(SafeFileHandle folder, ReadOnlySpan<byte> name, int flags, int mode)
    {
        while (true)
        {
            int handle = UnixCalls.OpenAt((int)folder.DangerousGetHandle(), name, flags | UnixCalls.OpenCloseOnExec, mode);
            if (handle >= 0 || Marshal.GetLastPInvokeError() != Interrupted)
            {
                return Wrap(handle);
            }
        }
    }

    private static bool IsRegularFile(int folder, ReadOnlySpan<byte> name, int flags, bool missingIsFine)
    {
        Span<byte> status = stackalloc byte[StatSize];
        if (UnixCalls.StatX(folder, name, flags, WantType, status) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            return missingIsFine && error == UnixCalls.NoEntry ? true : throw Fault(error);
        }

        return (MemoryMarshal.Read<ushort>(status[ModeOffset..]) & TypeMask) == RegularFile;
    }

    private static SafeFileHandle Wrap(int handle) => handle >= 0 ? new SafeFileHandle(handle, ownsHandle: true) : throw Fault(Marshal.GetLastPInvokeError());

    /// <summary>A link or a missing folder where the check saw none is a swap; anything else is an ordinary fault of the file system.</summary>
    private static Exception Fault(int error) => error switch
    {
        40 or UnixCalls.NotAFolder => Refused(PathDenial.ChangedSinceCheck), // ELOOP
        UnixCalls.NoEntry => new FileNotFoundException("the file or a folder on its way does not exist"),
        13 or UnixCalls.NotPermitted => new UnauthorizedAccessException("the system does not permit opening the file"), // EACCES
        _ => new IOException(string.Create(CultureInfo.InvariantCulture, $"the file cannot be opened: {Marshal.GetPInvokeErrorMessage(error)}")),
    };

    private static UnauthorizedAccessException Refused(PathDenial denial) => new(PathDenials.Describe(denial));
}
