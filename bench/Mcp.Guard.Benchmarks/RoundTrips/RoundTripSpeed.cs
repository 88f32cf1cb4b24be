using System.Diagnostics;
using System.Globalization;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Benchmarks.RoundTrips;

/// <summary>
/// Calls of one tool through the SDK's client, plain and guarded in turn, fifty of each at a time: median, 99th percentile, what the whole process used for
/// one, and the ratio of the medians. Several runs in one process, of which the median ratio counts.
/// </summary>
internal static class RoundTripSpeed
{
    private const int Block = 50;

    public static async Task<int> RunAsync(string kind, int runs)
    {
        foreach (string one in kind == "all" ? ["memory", "stdio", "http"] : new[] { kind })
        {
            await MeasureAsync(one, runs);
        }

        return 0;
    }

    /// <summary>Calls over one way only, for a profiler.</summary>
    public static async Task<int> LoopAsync(string kind, string way, int count)
    {
        await using RoundTripSetup setup = await RoundTripSetup.OpenAsync(kind);
        int at = setup.Ways.FindIndex(one => one.Name == way);
        if (at < 0)
        {
            Console.Error.WriteLine($"there is no way '{way}'; one of: {string.Join("; ", setup.Ways.Select(static one => one.Name))}");
            return 2;
        }

        await CallAsync(setup, at, 5_000);
        await Task.Delay(1_000);
        await CallAsync(setup, at, 5_000);
        var before = ProcessUse.Now();
        var times = new List<double>(count);
        await CallAsync(setup, at, count, times);
        ProcessUse used = ProcessUse.Now() - before;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{kind}, {way}: median {Quantile(times, 0.5):N1} us, 99th percentile {Quantile(times, 0.99):N1} us, {used.Bytes / (double)count:N0} B, processor {used.Microseconds / count:N1} us, switches {used.Switches / (double)count:N2}"));
        return 0;
    }

    /// <summary>The median ratio of guarded to plain, printed with its parts.</summary>
    /// <param name="kind"><c>memory</c>, <c>stdio</c> or <c>http</c>.</param>
    /// <param name="runs">Of each the ratio is taken.</param>
    /// <param name="blocks">Of fifty calls each, in a run.</param>
    /// <param name="share">Which quantile of the times is compared: 0.5 is the median; a lower one asks what is left when other work has the machine.</param>
    public static async Task<double> MeasureAsync(string kind, int runs, int blocks = 60, double share = 0.5)
    {
        await using RoundTripSetup setup = await RoundTripSetup.OpenAsync(kind);
        Console.WriteLine($"\n| round trip, {kind} | median | 99th percentile | allocated | processor | switches of threads | to plain, median of {runs} runs | all runs |\n|---|---|---|---|---|---|---|---|");
        int ways = setup.Ways.Count;
        for (int i = 0; i < ways; i++)
        {
            await CallAsync(setup, i, 1_000);
        }

        // The optimising compiler works beside the first calls, and again with what it has seen of them.
        await Task.Delay(1_000);
        for (int i = 0; i < ways; i++)
        {
            await CallAsync(setup, i, 1_000);
        }

        await Task.Delay(500);
        var ratios = new List<double>[ways];
        var all = new List<double>[ways];
        var uses = new ProcessUse[ways];
        for (int i = 0; i < ways; i++)
        {
            ratios[i] = [];
            all[i] = [];
        }

        for (int run = 0; run < runs; run++)
        {
            var times = new List<double>[ways];
            for (int i = 0; i < ways; i++)
            {
                times[i] = new(blocks * Block);
            }

            for (int block = 0; block < blocks; block++)
            {
                for (int i = 0; i < ways; i++)
                {
                    var before = ProcessUse.Now();
                    await CallAsync(setup, i, Block, times[i]);
                    uses[i] += ProcessUse.Now() - before;
                }
            }

            double plain = Quantile(times[0], share);
            for (int i = 0; i < ways; i++)
            {
                ratios[i].Add(Quantile(times[i], share) / plain);
                all[i].AddRange(times[i]);
            }
        }

        double guarded = 0;
        double calls = (double)Block * blocks * runs;
        for (int i = 0; i < ways; i++)
        {
            double ratio = Quantile(ratios[i], 0.5);
            guarded = setup.Ways[i].Name == RoundTripSetup.Guarded ? ratio : guarded;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {setup.Ways[i].Name} | {Quantile(all[i], 0.5):N1} us | {Quantile(all[i], 0.99):N1} us | {uses[i].Bytes / calls:N0} B | {uses[i].Microseconds / calls:N1} us | {uses[i].Switches / calls:N2} | {ratio:N3} | {string.Join(", ", ratios[i].Select(value => value.ToString("N2", CultureInfo.InvariantCulture)))} |"));
        }

        return guarded;
    }

    private static async Task CallAsync(RoundTripSetup setup, int way, int count, List<double>? times = null)
    {
        (_, McpClient client, string tool, bool isDenied) = setup.Ways[way];
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            CallToolResult result = await client.CallToolAsync(tool, setup.Arguments);
            times?.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            if (result.IsError == true != isDenied)
            {
                throw new InvalidOperationException("the measured call was not decided as it should be: " + result.Content.OfType<TextContentBlock>().First().Text);
            }
        }
    }

    private static double Quantile(List<double> values, double share)
    {
        var sorted = values.Order().ToList();
        return sorted[(int)(share * (sorted.Count - 1))];
    }
}
