using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Benchmarks.RoundTrips;

/// <summary>
/// What the command <c>mcp-guard run</c> costs a client that starts it in the place of a server: from the start of the process to the first result, and for each
/// call after that. Bare, guarded and through a process that only copies (calls only: what any process in between costs) are taken in turn, against the tree's file server in
/// both eras of the protocol and, where <c>MCP_GUARD_NPM</c> names their folder, two official servers.
/// </summary>
internal static class GatewaySpeed
{
    private const int Block = 25;

    /// <param name="part"><c>start</c>, <c>call</c> or <c>all</c>.</param>
    /// <param name="runs">Starts of each way, and runs of calls of which each has a ratio.</param>
    /// <param name="command">The command to measure, a program or a <c>.dll</c>; null for the one that was built beside this program.</param>
    public static async Task<int> RunAsync(string part, int runs, string? command)
    {
        string tree = TreeOf(AppContext.BaseDirectory);
        string guard = Path.GetFullPath(command ?? Path.Combine(tree, "src", "Mcp.Guard.Cli", "bin", "Release", "net10.0", "mcp-guard.dll"));
        string folder = Directory.CreateTempSubdirectory("mcp-guard-bench-").FullName;
        try
        {
            string project = Directory.CreateDirectory(Path.Combine(folder, "project")).FullName;
            string file = Path.Combine(project, "notes.txt");
            await File.WriteAllTextAsync(file, "A note of a few words, as one reads them.\n");
            string sample = Path.Combine(tree, "samples", "FileServer", "bin", "Release", "net10.0", "FileServer.dll");
            List<(string Name, string[] Command, string Tool, string[] Eras)> servers = [("file server of the samples", [Dotnet, sample], "read_file", ["2025-11-25", "2026-07-28"])];
            if (Environment.GetEnvironmentVariable("MCP_GUARD_NPM") is { Length: > 0 } npm)
            {
                servers.Add(("server-filesystem", ["/usr/bin/env", "node", Path.Combine(npm, "node_modules", "@modelcontextprotocol", "server-filesystem", "dist", "index.js"), project], "read_text_file", ["2025-11-25"])); // it speaks no other
                servers.Add(("server-everything", ["/usr/bin/env", "node", Path.Combine(npm, "node_modules", "@modelcontextprotocol", "server-everything", "dist", "index.js")], "echo", ["2025-11-25"]));
            }

            Console.WriteLine($"measured: {guard}");
            foreach ((string name, string[] server, string tool, string[] eras) in servers)
            {
                string policy = Path.Combine(folder, tool + ".json");
                await File.WriteAllTextAsync(policy, Policy(folder, tool, server, project));
                string[] relay = [Dotnet, typeof(GatewaySpeed).Assembly.Location, "relay"];
                (string[] Command, string Tool)[] ways = [(server, tool), ([.. guard.EndsWith(".dll", StringComparison.Ordinal) ? new[] { Dotnet, guard } : [guard], "run", policy], "files__" + tool), ([.. relay, .. server], tool)];
                foreach (string era in eras)
                {
                    if (part is "start" or "all")
                    {
                        await MeasureStartAsync($"{name}, {era}", ways, era, file, runs);
                    }

                    if (part is "call" or "all")
                    {
                        await MeasureCallsAsync($"{name}, {era}", ways, era, file, runs);
                    }
                }
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Dotnet { get; } = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));

    private static async Task MeasureStartAsync(string name, (string[] Command, string Tool)[] ways, string era, string file, int runs)
    {
        var times = new List<double>[] { [], [] };
        for (int run = -1; run < runs; run++)
        {
            for (int way = 0; way < 2; way++)
            {
                long start = Stopwatch.GetTimestamp();
                McpClient client = await ConnectAsync(ways[way].Command, era);
                await using (client)
                {
                    await CallAsync(client, ways[way].Tool, file);
                    if (run >= 0)
                    {
                        times[way].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                    }
                }
            }
        }

        var above = times[1].Zip(times[0], static (guarded, bare) => guarded - bare).ToList();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"start to first call, {name}: bare {Median(times[0]):N0} ms, run {Median(times[1]):N0} ms, above the bare one {Median(above):N0} ms (least {above.Min():N0}, most {above.Max():N0}, {runs} pairs)"));
    }

    private static async Task MeasureCallsAsync(string name, (string[] Command, string Tool)[] ways, string era, string file, int runs)
    {
        var clients = new List<McpClient>();
        try
        {
            foreach ((string[] command, _) in ways)
            {
                clients.Add(await ConnectAsync(command, era));
            }

            // The optimising compilers of all three processes work beside the first calls.
            for (int round = 0; round < 3; round++)
            {
                for (int way = 0; way < ways.Length; way++)
                {
                    await CallsAsync(clients[way], ways[way].Tool, file, 700, null);
                }

                await Task.Delay(500);
            }

            var ratios = new List<double>[] { [], [], [] };
            var all = new List<double>[] { [], [], [] };
            for (int run = 0; run < runs; run++)
            {
                var times = new List<double>[] { [], [], [] };
                for (int block = 0; block < 40; block++)
                {
                    for (int way = 0; way < ways.Length; way++)
                    {
                        await CallsAsync(clients[way], ways[way].Tool, file, Block, times[way]);
                    }
                }

                ratios[0].Add(Median(times[1]) / Median(times[0]));
                ratios[1].Add(Median(times[2]) / Median(times[0]));
                ratios[2].Add(Median(times[1]) / Median(times[2]));
                for (int way = 0; way < ways.Length; way++)
                {
                    all[way].AddRange(times[way]);
                }
            }

            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"one call, {name}: bare {Median(all[0]):N0} us, relay {Median(all[2]):N0} us, run {Median(all[1]):N0} us; run to bare {Listed(ratios[0])}, relay to bare {Listed(ratios[1])}, run to relay {Listed(ratios[2])}"));
        }
        finally
        {
            foreach (McpClient client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    private static string Listed(List<double> ratios) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Median(ratios):N2} ({string.Join(", ", ratios.Order().Select(static ratio => ratio.ToString("N2", CultureInfo.InvariantCulture)))})");

    private static Task<McpClient> ConnectAsync(string[] command, string era) => McpClient.CreateAsync(
        new StdioClientTransport(new StdioClientTransportOptions { Command = command[0], Arguments = command[1..], ShutdownTimeout = TimeSpan.FromSeconds(10) }),
        new McpClientOptions { ProtocolVersion = era });

    private static async Task CallsAsync(McpClient client, string tool, string file, int count, List<double>? times)
    {
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await CallAsync(client, tool, file);
            times?.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }
    }

    private static async Task CallAsync(McpClient client, string tool, string file)
    {
        CallToolResult result = await client.CallToolAsync(tool, new Dictionary<string, object?> { [tool.EndsWith("echo", StringComparison.Ordinal) ? "message" : "path"] = file });
        if (result.IsError == true)
        {
            throw new InvalidOperationException("the measured call failed: " + result.Content.OfType<TextContentBlock>().First().Text);
        }
    }

    /// <summary>As a user has it: everything on, one reading rule; only the rate is lifted.</summary>
    private static string Policy(string folder, string name, string[] server, string project) => new JsonObject
    {
        ["stateDirectory"] = Path.Combine(folder, "state-" + name),
        ["audit"] = new JsonObject { ["directory"] = Path.Combine(folder, "audit-" + name) },
        ["servers"] = new JsonObject
        {
            ["files"] = new JsonObject
            {
                ["command"] = server[0] == "/usr/bin/env" ? NodePath() : server[0],
                ["arguments"] = new JsonArray([.. server[(server[0] == "/usr/bin/env" ? 2 : 1)..].Select(static argument => (JsonNode)argument)]),
                ["isolation"] = new JsonObject { ["mode"] = "none" },
                ["roots"] = new JsonArray(project),
                ["rateLimit"] = new JsonObject { ["permits"] = 1_000_000, ["per"] = "1s" },
                ["budgets"] = new JsonObject { ["repeats"] = new JsonObject { ["permits"] = 1_000_000, ["per"] = "1s" } },
                ["rules"] = new JsonObject { ["reading"] = new JsonObject { ["tools"] = new JsonArray("read_*", "echo"), ["effect"] = "allow" } },
            },
        },
    }.ToJsonString();

    private static string NodePath() => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
        .Select(static folder => Path.Combine(folder, "node")).First(File.Exists);

    private static double Median(List<double> values) => values.Order().ElementAt((values.Count - 1) / 2);

    private static string TreeOf(string folder) =>
        File.Exists(Path.Combine(folder, "Mcp.Guard.sln")) ? folder : TreeOf(Path.GetDirectoryName(folder.TrimEnd(Path.DirectorySeparatorChar)) ?? throw new InvalidOperationException("the tree is not above this program"));
}
