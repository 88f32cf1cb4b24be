using System.Diagnostics;

namespace Mcp.Guard.Benchmarks.RoundTrips;

/// <summary>
/// What any program costs that stands between a client and its server: this one starts the server and copies bytes there and back, each way by one thread in calls
/// that block, and reads nothing of them.
/// </summary>
internal static class PlainRelay
{
    /// <param name="command">The server's program and arguments.</param>
    public static int Run(string[] command)
    {
        using Process server = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        using Stream toServer = server.StandardInput.BaseStream;
        new Thread(() =>
        {
            Copy(Console.OpenStandardInput(), toServer);
            toServer.Dispose();
        })
        { IsBackground = true }.Start();
        Copy(server.StandardOutput.BaseStream, Console.OpenStandardOutput());
        server.WaitForExit();
        return server.ExitCode;
    }

    private static void Copy(Stream from, Stream to)
    {
        byte[] buffer = new byte[64 * 1024];
        for (int count = from.Read(buffer); count > 0; count = from.Read(buffer))
        {
            to.Write(buffer.AsSpan(0, count));
            to.Flush();
        }
    }
}
