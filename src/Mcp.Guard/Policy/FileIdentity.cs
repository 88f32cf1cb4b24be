using System.Runtime.InteropServices;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Policy;

/// <summary>Which file a path names, whatever the path: device and inode (statx(2)). Linux only.</summary>
internal readonly record struct FileIdentity(uint Major, uint Minor, ulong Inode)
{
    private const uint BasicFields = 0x7ff;
    private const int AnswerSize = 256;
    private const int LinksOffset = 16;
    private const int ModeOffset = 28;
    private const int InodeOffset = 32;
    private const int MajorOffset = 136;
    private const int MinorOffset = 140;
    private const int KindMask = 0xf000;
    private const int FileKind = 0x8000;

    /// <summary>Reads it, links followed; false where there is no such regular file, or not on this system.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="identity">Which file it is.</param>
    /// <param name="names">How many names the file has.</param>
    public static bool TryRead(string path, out FileIdentity identity, out uint names)
    {
        identity = default;
        names = 0;
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        // Asked for every path of every call: nothing is allocated for it.
        Span<byte> name = path.Length <= UnixLinkReader.ShortChars ? stackalloc byte[UnixLinkReader.ShortBytes] : stackalloc byte[PathRules.MaxUnixBytes + 1];
        Span<byte> answer = stackalloc byte[AnswerSize];
        if (!UnixLinkReader.TryEncode(path, name, out int length)
            || UnixCalls.StatX(UnixCalls.NoFolder, name[..(length + 1)], 0, BasicFields, answer) != 0
            || (MemoryMarshal.Read<ushort>(answer[ModeOffset..]) & KindMask) != FileKind)
        {
            return false;
        }

        names = MemoryMarshal.Read<uint>(answer[LinksOffset..]);
        identity = new FileIdentity(
            MemoryMarshal.Read<uint>(answer[MajorOffset..]), MemoryMarshal.Read<uint>(answer[MinorOffset..]), MemoryMarshal.Read<ulong>(answer[InodeOffset..]));
        return true;
    }
}
