using System.Runtime.InteropServices;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>Reads kind, owner and permission bits of a file by statx(2), whose answer has one layout on every architecture.</summary>
internal static class LinuxFileStatus
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint BasicFields = 0x7ff;
    private const int AnswerSize = 256;
    private const int OwnerOffset = 20;
    private const int GroupOffset = 24;
    private const int ModeOffset = 28;
    private const int KindMask = 0xf000;
    private const int FolderKind = 0x4000;
    private const int FileKind = 0x8000;

    public static bool TryRead(string path, out HostFileKind kind, out JailUser owner, out UnixFileMode mode)
    {
        byte[] answer = new byte[AnswerSize];
        if (StatX(CurrentFolder, LinuxDescriptor.ToCString(path), NoFollow, BasicFields, answer) != 0)
        {
            (kind, owner, mode) = (default, default, default);
            return false;
        }

        int bits = MemoryMarshal.Read<ushort>(answer.AsSpan(ModeOffset));
        kind = (bits & KindMask) switch
        {
            FolderKind => HostFileKind.Folder,
            FileKind => HostFileKind.File,
            _ => HostFileKind.Special,
        };
        owner = new JailUser(MemoryMarshal.Read<uint>(answer.AsSpan(OwnerOffset)), MemoryMarshal.Read<uint>(answer.AsSpan(GroupOffset)));
        mode = (UnixFileMode)(bits & 0xfff);
        return true;
    }

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int StatX(int folder, byte[] path, int flags, uint mask, byte[] answer);
}
