using System.Diagnostics;
using System.Globalization;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Benchmarks.RoundTrips;

/// <summary>
/// Calls of one tool through the SDK's client, plain and guarded in turn, fifty of each at a time: median, 99th percentile, bytes of the whole process, and the
/// ratio of the medians. Several runs in one process, of which the median ratio counts.
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

    /// <summary>The median ratio of guarded to plain, printed with its parts.</summary>
    /// <param name="kind"><c>memory</c>, <c>stdio</c> or <c>http</c>.</param>
    /// <param name="runs">Of each the ratio is taken.</param>
    /// <param name="blocks">Of fifty calls each, in a run.</param>
    /// <param name="share">Which quantile of the times is compared: 0.5 is the median; a lower one asks what is left when other work has the machine.</param>
    public static async Task<double> MeasureAsync(string kind, int runs, int blocks = 60, double share = 0.5)
    {
        await using RoundTripSetup setup = await RoundTripSetup.OpenAsync(kind);
        Console.WriteLine($"\n| round trip, {kind} | median | 99th percentile | allocated | to plain, median of {runs} runs | all runs |\n|---|---|---|---|---|---|");
        int ways = setup.Ways.Count;
        for (int i = 0; i < ways; i++)
        {
            await CallAsync(setup.Ways[i].Client, setup.Arguments, 1_000);
        }

        // The optimising compiler works beside the first calls, and again with what it has seen of them.
        await Task.Delay(1_000);
        for (int i = 0; i < ways; i++)
        {
            await CallAsync(setup.Ways[i].Client, setup.Arguments, 1_000);
        }

        await Task.Delay(500);
        var ratios = new List<double>[ways];
        var all = new List<double>[ways];
        var bytes = new double[ways];
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
                    long before = GC.GetTotalAllocatedBytes(precise: true);
                    await CallAsync(setup.Ways[i].Client, setup.Arguments, Block, times[i]);
                    bytes[i] += (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)(Block * blocks * runs);
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
        for (int i = 0; i < ways; i++)
        {
            double ratio = Quantile(ratios[i], 0.5);
            guarded = setup.Ways[i].Name == RoundTripSetup.Guarded ? ratio : guarded;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {setup.Ways[i].Name} | {Quantile(all[i], 0.5):N1} us | {Quantile(all[i], 0.99):N1} us | {bytes[i]:N0} B | {ratio:N3} | {string.Join(", ", ratios[i].Select(value => value.ToString("N2", CultureInfo.InvariantCulture)))} |"));
        }

        return guarded;
    }

    private static async Task CallAsync(McpClient client, Dictionary<string, object?> arguments, int count, List<double>? times = null)
    {
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            CallToolResult result = await client.CallToolAsync(EditServer.Tool, arguments);
            times?.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            if (result.IsError == true)
            {
                throw new InvalidOperationException("the measured call was denied: " + result.Content.OfType<TextContentBlock>().First().Text);
            }
        }
    }

    private static double Quantile(List<double> values, double share)
    {
        var sorted = values.Order().ToList();
        return sorted[(int)(share * (sorted.Count - 1))];
    }
}
