using System.Runtime.InteropServices;
using System.Text;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Audit;

/// <summary>Looks at what lies under a name without opening or following it. .NET tells links and folders apart, but not pipes and devices from files.</summary>
internal static class FileNode
{
    private const int NoFollowLast = 0x100; // AT_SYMLINK_NOFOLLOW
    private const uint WantType = 0x1;      // STATX_TYPE
    private const int ModeOffset = 28;      // stx_mode in struct statx
    private const int StatSize = 256;
    private const int TypeMask = 0xF000;    // S_IFMT
    private const int RegularFile = 0x8000; // S_IFREG
    private const int SymbolicLink = 0xA000; // S_IFLNK

    public static FileNodeKind KindOf(string path)
    {
        var file = new FileInfo(path);
        if (file.LinkTarget is not null)
        {
            return FileNodeKind.Link;
        }

        if (!OperatingSystem.IsLinux())
        {
            return file.Exists ? FileNodeKind.RegularFile : Directory.Exists(path) ? FileNodeKind.Other : FileNodeKind.Missing;
        }

        Span<byte> status = stackalloc byte[StatSize];
        if (UnixCalls.StatX(UnixCalls.NoFolder, Encoding.UTF8.GetBytes(Path.GetFullPath(path) + '\0'), NoFollowLast, WantType, status) != 0)
        {
            return Marshal.GetLastPInvokeError() is UnixCalls.NoEntry or UnixCalls.NotAFolder ? FileNodeKind.Missing : FileNodeKind.Other;
        }

        return (MemoryMarshal.Read<ushort>(status[ModeOffset..]) & TypeMask) switch
        {
            RegularFile => FileNodeKind.RegularFile,
            SymbolicLink => FileNodeKind.Link,
            _ => FileNodeKind.Other,
        };
    }
}
