using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Schema;

namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>How the cost of an allowed call grows: with rules, tools, rate keys, payload, threads and connections; what a connection and a tool hold; what a policy takes to load.</summary>
internal static class ScalingSpeed
{
    public static int Run()
    {
        Grow("rules of the server that name other tools", "rules", [3, 100, 10_000], size => new() { Rules = size });
        Grow("tools that the server lists (at most 2,000)", "tools", [10, 100, 2_000], size => new() { Tools = size });
        TooManyTools();
        Grow("payload", "characters of the longest argument and of the result", [100, 1_000, 10_000, 100_000, 1_000_000], size => new() { PayloadBytes = size });
        Keys();
        Threads();
        Connections();
        Load();
        return 0;
    }

    /// <summary>The cost of one call at each size beside the smallest, all in one run.</summary>
    public static IReadOnlyList<Measured> Grow(string title, string unit, int[] sizes, Func<int, CallScenarioOptions> options, int rounds = 20)
    {
        var scenarios = new List<CallScenario>();
        try
        {
            scenarios.AddRange(sizes.Select(size => new CallScenario(options(size))));
            IReadOnlyList<Measured> measured = Measurement.Run(
                [.. scenarios.Select((scenario, i) => new Operation(sizes[i].ToString("N0", CultureInfo.InvariantCulture), scenario.PlainCall))], rounds);
            Console.WriteLine($"\n| {title}: {unit} | to the smallest | median | least | allocated |\n|---|---|---|---|---|");
            foreach (Measured row in measured)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {row.Name} | {row.Nanoseconds / measured[0].Nanoseconds:N2} | {row.Nanoseconds:N0} ns | {row.Least:N0} ns | {row.Bytes:N0} B |"));
            }

            return measured;
        }
        finally
        {
            foreach (CallScenario scenario in scenarios)
            {
                scenario.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        }
    }

    /// <summary>What a list costs to judge, at the most tools that are taken and beyond.</summary>
    public static void TooManyTools()
    {
        var scenario = new CallScenario();
        Console.WriteLine("\n| a list of tools, judged | time, least of 5 | outcome |\n|---|---|---|");
        foreach (int count in (int[])[2_000, 10_000])
        {
            JsonElement list = CallScenario.ToolList(count);
            double least = double.MaxValue;
            string outcome = string.Empty;
            for (int i = 0; i < 5; i++)
            {
                var connection = new ConnectionState(scenario.Guard.Runtime, scenario.Settings.Identity);
                long start = Stopwatch.GetTimestamp();
                outcome = scenario.Lists(connection, list)?.Code ?? "delivered";
                least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {count:N0} tools | {least:N1} ms | {outcome} |"));
        }

        scenario.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    /// <summary>A call while the limiter holds the keys of so many other callers.</summary>
    public static void Keys(int[]? sizes = null) => Grow("rate limit", "keys in use", sizes ?? [1, 1_000, 100_000, 1_000_000], size => new() { RateKeys = size });

    /// <summary>Two threads beside one, each with a caller and a connection of its own.</summary>
    public static double Threads(int rounds = 9)
    {
        var scenario = new CallScenario();
        var ratios = new List<double>();
        double single = 0;
        ConnectionState[] connections = [scenario.NewConnection(), scenario.NewConnection()];
        GuardCaller[] callers = [new("ada", "s-1"), new("bob", "s-2")];
        for (int round = 0; round < rounds; round++)
        {
            double one = CallsASecond(1);
            double two = CallsASecond(2);
            ratios.Add(two / one);
            single = Math.Max(single, one);
        }

        ratios.Sort();
        double ratio = ratios[ratios.Count / 2];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\n| decisions on two threads against one | {ratio:N2} times (median of {rounds}; best {ratios[^1]:N2}) | one thread {single:N0} calls a second | collector: {(System.Runtime.GCSettings.IsServerGC ? "server" : "workstation")}, {System.Runtime.GCSettings.LatencyMode} |\n|---|---|---|---|"));
        scenario.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return ratio;

        double CallsASecond(int threads)
        {
            long calls = 0;
            long start = Stopwatch.GetTimestamp();
            Thread[] running = [.. Enumerable.Range(0, threads).Select(number => new Thread(() =>
            {
                long own = 0;
                while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromMilliseconds(400))
                {
                    for (int i = 0; i < 50; i++)
                    {
                        scenario.PlainCall(connections[number], callers[number]);
                    }

                    own += 50;
                }

                Interlocked.Add(ref calls, own);
            }))];
            foreach (Thread thread in running)
            {
                thread.Start();
            }

            foreach (Thread thread in running)
            {
                thread.Join();
            }

            return calls / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private static void Connections()
    {
        var scenario = new CallScenario();
        ConnectionState[] all = new ConnectionState[1_000];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = scenario.NewConnection();
        }

        long held = (GC.GetTotalMemory(forceFullCollection: true) - before) / all.Length;
        int next = 0;
        IReadOnlyList<Measured> measured = Measurement.Run(
        [
            new("1", () => scenario.PlainCall(all[0], scenario.Caller)),
            new("1,000 in turn", () => scenario.PlainCall(all[next = (next + 1) % all.Length], scenario.Caller)),
        ], rounds: 20);
        PipelineSpeed.Print("connections", measured);
        scenario.DisposeAsync().AsTask().GetAwaiter().GetResult();
        var many = new CallScenario(new() { Tools = 2_000 });
        before = GC.GetTotalMemory(forceFullCollection: true);
        ConnectionState second = many.NewConnection();
        long tools = (GC.GetTotalMemory(forceFullCollection: true) - before) / 2_000;
        GC.KeepAlive(second);
        GC.KeepAlive(all);
        many.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Console.WriteLine($"\n| what is held | bytes |\n|---|---|\n| a connection that lists 10 tools | {held} |\n| a tool known to a further connection (its definition and schema are shared) | {tools} |");
    }

    private static void Load()
    {
        Console.WriteLine("\n| policy | read and compiled, median |\n|---|---|");
        foreach (int rules in (int[])[10, 10_000])
        {
            var builder = new GuardPolicyBuilder().Server("files", server =>
            {
                server.HostProvided();
                for (int i = 0; i < rules; i++)
                {
                    server.Allow($"rule-{i}", $"tool_{i}", $"other_{i}_*");
                }
            });
            byte[] utf8 = System.Text.Encoding.UTF8.GetBytes(builder.ToJson());
            var schemas = new BuiltInSchemaCompiler();
            var times = new List<double>();
            for (int i = 0; i < (rules > 1_000 ? 15 : 200); i++)
            {
                long start = Stopwatch.GetTimestamp();
                PolicyReader.Read(utf8, null, schemas);
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            times.Sort();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {rules:N0} rules, {utf8.Length:N0} bytes | {times[times.Count / 2]:N2} ms |"));
        }
    }
}
