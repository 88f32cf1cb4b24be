using Mcp.Guard.Isolation;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>A host that starts a server which ignores everything, says so, and waits to be killed.</summary>
internal static class CrashHost
{
    public const string Variable = "MCP_GUARD_CRASH_HOST";
    public const string MarkerVariable = "MCP_GUARD_CRASH_MARKER";

    public static async Task<int> RunAsync(string mode)
    {
        string marker = Environment.GetEnvironmentVariable(MarkerVariable)!;

        // Without a box a process that left the session outlives a killed host, as docs/isolation.md says: the test leaves none behind.
        string[] attempt = mode == nameof(IsolationMode.None) ? ["stay"] : ["stay", marker];
        ServerProcess server = await Probe.StartAsync(Probe.Options(Enum.Parse<IsolationMode>(mode), attempt));
        using var reader = new StreamReader(server.Output);
        await reader.ReadLineAsync();
        Console.WriteLine($"started {server.ProcessId} {marker}");
        Console.Out.Flush();
        await Task.Delay(Timeout.Infinite);
        return 1;
    }
}
