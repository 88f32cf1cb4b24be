using Mcp.Guard.Isolation.Launch;

namespace Mcp.Guard.Cli.Run;

/// <summary>Whether standard output takes a message without waiting for its reader: what is written from a thread that must not wait.</summary>
internal static class StandardOutputRoom
{
    /// <summary>What a pipe that is ready takes at once (pipe(7): PIPE_BUF).</summary>
    private const int AtOnce = 4096;

    private const int StandardOutput = 1;

    /// <summary>False where it would have to wait, or cannot be asked.</summary>
    public static bool Has(int bytes)
    {
        if (!OperatingSystem.IsLinux() || bytes > AtOnce)
        {
            return false;
        }

        LinuxPoll[] asked = [new(StandardOutput, LinuxPoll.Writable)];
        return LinuxNative.Poll(asked, 1, 0) == 1 && asked[0].Returned == LinuxPoll.Writable;
    }
}
