using Mcp.Guard.Isolation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mcp.Guard.Benchmarks.Isolation;

/// <summary>Starts <c>cat</c>, the smallest server that answers a line with a line.</summary>
internal static class BoxedProgram
{
    private static readonly IsolationHost s_host = IsolationHost.Detect();

    private static readonly ServerProcessOptions s_options = new();

    public static IsolationPlan Plan(IsolationMode mode) => IsolationPlanner.Create(
        new IsolationOptions { Server = "bench", InstanceId = "bench", Mode = mode, Executable = "/usr/bin/cat", Memory = 256 << 20 },
        s_host);

    public static Task<ServerProcess> StartAsync(IsolationPlan plan) => ServerProcess.StartAsync(plan, s_options, NullLogger.Instance);

    /// <summary>One line there and back.</summary>
    public static async Task RoundTripAsync(Stream input, Stream output, byte[] line, byte[] buffer)
    {
        await input.WriteAsync(line);
        await output.ReadExactlyAsync(buffer.AsMemory(0, line.Length));
    }
}
