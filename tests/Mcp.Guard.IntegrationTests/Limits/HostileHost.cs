using System.Diagnostics;
using System.Globalization;
using Mcp.Guard.IntegrationTests.Isolation;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Limits;

/// <summary>
/// A host in a process of its own, so that its memory can be measured: it is connected to the hostile server and to a quiet one, makes one call at the
/// hostile one, calls the quiet one meanwhile, and prints what it saw.
/// </summary>
internal static class HostileHost
{
    /// <summary>Tool, its argument, result limit in bytes, and how long the quiet server is called at least, in milliseconds; by blanks.</summary>
    public const string Variable = "MCP_GUARD_HOSTILE_HOST";

    public static async Task<int> RunAsync(string what)
    {
        string[] parts = what.Split(' ');
        string state = Directory.CreateTempSubdirectory("mcp-guard-hostile-").FullName;
        var audit = new Ends();
        var services = new ServiceCollection();
        services.AddMcpGuard(policy => policy.StateDirectory(Path.Combine(state, "guard"))
                .Server("hostile", server => Configure(server).With("results", $$"""{"maxBytes":{{parts[2]}}}"""))
                .Server("quiet", server => Configure(server)))
            .UseAudit(audit).DenyInsteadOfAsking();
        await using ServiceProvider provider = services.BuildServiceProvider();
        IMcpGuard guard = provider.GetRequiredService<IMcpGuard>();
        await using McpClient quiet = await guard.ConnectAsync("quiet");
        McpClient hostile = await guard.ConnectAsync("hostile");
        for (int i = 0; i < 100; i++)
        {
            await EchoAsync(quiet);
            await EchoAsync(hostile);
        }

        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        long before = ResetPeak();
        var span = Stopwatch.StartNew();
        Task<string> attack = CallAsync(hostile, parts[0], parts[1]);
        TimeSpan slowest = TimeSpan.Zero;
        int echoes = 0;
        int echoesOfHostile = 0;
        bool ended = false;
        while (!attack.IsCompleted || span.ElapsedMilliseconds < long.Parse(parts[3], CultureInfo.InvariantCulture))
        {
            var one = Stopwatch.StartNew();
            await EchoAsync(quiet);
            echoes++;
            slowest = one.Elapsed > slowest ? one.Elapsed : slowest;
            if (parts[0] == "flood" && attack.IsCompleted && !ended)
            {
                // A server that floods is disconnected in the end; until then its own calls go on.
                string said = await CallAsync(hostile, "echo", "hello").WaitAsync(TimeSpan.FromSeconds(60));
                echoesOfHostile += said == "hello" ? 1 : 0;
                ended = said != "hello" && await audit.EndedByFloodAsync();
                if (said != "hello" && !ended)
                {
                    throw new InvalidOperationException($"the flooding server's echo answered '{said}', and it was not disconnected");
                }
            }
        }

        string answer = await attack;
        long peak = Field("VmHWM:");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"grown={peak - before} echoes={echoes} own={echoesOfHostile} ended={ended} slowest={slowest.TotalMilliseconds:0} answer={answer[..Math.Min(answer.Length, 160)].ReplaceLineEndings(" ")}"));
        await hostile.DisposeAsync();
        Directory.Delete(state, recursive: true);
        return 0;
    }

    public static GuardServerBuilder Configure(GuardServerBuilder server, string isolation = """{"mode":"none"}""") => server
        .Command(Probe.Dotnet, Probe.Library, "hostile")
        .With("isolation", isolation)
        .Allow("all", rule => rule.Tools("*").RateLimit(1_000_000, TimeSpan.FromSeconds(1)))
        .With("budgets", """{"repeats":{"permits":1000000,"per":"1s"}}""");

    /// <summary>Keeps no records, whose number says nothing about what the guard holds: only whether a connection was ended for flooding.</summary>
    private sealed class Ends : IAuditSink
    {
        private readonly TaskCompletionSource _byFlood = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The end of a connection does not wait for its record, and the denial of an open call may come before it.</summary>
        public async Task<bool> EndedByFloodAsync() => await Task.WhenAny(_byFlood.Task, Task.Delay(TimeSpan.FromSeconds(20))) == _byFlood.Task;

        public ValueTask WriteAsync(AuditRecord record, CancellationToken ct)
        {
            if (record is { Kind: AuditKind.Connection, Code: "flood" })
            {
                _byFlood.TrySetResult();
            }

            return default;
        }
    }

    private static async Task EchoAsync(McpClient client)
    {
        string said = await CallAsync(client, "echo", "hello").WaitAsync(TimeSpan.FromSeconds(60));
        if (said != "hello")
        {
            throw new InvalidOperationException($"echo answered '{said}'");
        }
    }

    private static async Task<string> CallAsync(McpClient client, string tool, string value)
    {
        try
        {
            CallToolResult result = await client.CallToolAsync(tool, new Dictionary<string, object?> { ["value"] = value });
            return ((TextContentBlock)result.Content[0]).Text;
        }
        catch (Exception closed) when (closed is not OperationCanceledException)
        {
            return $"{closed.GetType().Name}: {closed.Message}";
        }
    }

    /// <summary>Sets the peak of the resident memory to what it is now (Linux, proc(5), clear_refs).</summary>
    private static long ResetPeak()
    {
        File.WriteAllText("/proc/self/clear_refs", "5");
        return Field("VmRSS:");
    }

    private static long Field(string name) =>
        1024 * long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
