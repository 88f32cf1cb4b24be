using System.Runtime.InteropServices;

namespace Mcp.Guard.Isolation.Launch;

/// <summary><c>struct pollfd</c> of poll(2): one descriptor that is watched, for something to read where nothing else is said.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct LinuxPoll
{
    /// <summary>POLLIN.</summary>
    public const short Readable = 1;

    /// <summary>POLLOUT.</summary>
    public const short Writable = 4;

    private readonly int _descriptor;
    private readonly short _wanted;
    private readonly short _returned;

    public LinuxPoll(int descriptor, short wanted = Readable)
    {
        _descriptor = descriptor;
        _wanted = wanted;
        _returned = 0;
    }

    /// <summary>The descriptor.</summary>
    public int Descriptor => _descriptor;

    /// <summary>What it is watched for.</summary>
    public short Wanted => _wanted;

    /// <summary>What the kernel found: 0 is nothing.</summary>
    public short Returned => _returned;
}
