using System.Runtime.InteropServices;

namespace Mcp.Guard.Cli.Run;

/// <summary>Whether standard output takes a message without waiting for its reader: what is written from a thread that must not wait.</summary>
internal static class StandardOutputRoom
{
    /// <summary>What a pipe that is ready takes at once (pipe(7): PIPE_BUF).</summary>
    private const int AtOnce = 4096;

    private const int StandardOutput = 1;
    private const short Writable = 0x4; // POLLOUT

    /// <summary>False where it would have to wait, or cannot be asked.</summary>
    public static bool Has(int bytes)
    {
        if (!OperatingSystem.IsLinux() || bytes > AtOnce)
        {
            return false;
        }

        var asked = new PollDescriptor { Descriptor = StandardOutput, Events = Writable };
        return Poll(ref asked, 1, 0) == 1 && asked.Returned == Writable;
    }

    [DllImport("libc", EntryPoint = "poll")]
    private static extern int Poll(ref PollDescriptor descriptors, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
