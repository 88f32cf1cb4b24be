using System.Runtime.InteropServices;

namespace Mcp.Guard.Isolation.Launch;

/// <summary><c>struct pollfd</c> of poll(2): one descriptor that is watched for something to read.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct LinuxPoll
{
    private const short Readable = 1;

    private readonly int _descriptor;
    private readonly short _wanted;
    private readonly short _returned;

    public LinuxPoll(int descriptor)
    {
        _descriptor = descriptor;
        _wanted = Readable;
        _returned = 0;
    }

    /// <summary>The descriptor.</summary>
    public int Descriptor => _descriptor;

    /// <summary>What it is watched for.</summary>
    public short Wanted => _wanted;

    /// <summary>What the kernel found: 0 is nothing.</summary>
    public short Returned => _returned;
}
