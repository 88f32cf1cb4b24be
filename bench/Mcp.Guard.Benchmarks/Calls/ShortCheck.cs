using System.Globalization;
using Mcp.Guard.Benchmarks.RoundTrips;

namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>
/// The short run of a build server, under a minute: allocations, which other work does not change, and ratios within one run with a margin that only a fault
/// in the code exceeds. Times alone fail nothing.
/// </summary>
internal static class ShortCheck
{
    // What a call allocates now and a little; the goals are 4,096 and 2,048.
    private const double AllowedBytes = 3_872 * 1.15;
    private const double DeniedBytes = 1_712 * 1.15;
    private const double RulesRatio = 2.5;
    private const double ReadsOfAllowed = 40;
    private const double StdioRatio = 6;

    public static async Task<int> RunAsync()
    {
        bool holds = Decisions() & Growth();
        holds &= await StdioAsync();
        Console.WriteLine(holds ? "\nspeed: as it should be" : "\nspeed: FAILED");
        return holds ? 0 : 1;
    }

    private static bool Decisions()
    {
        var scenario = new CallScenario();
        try
        {
            IReadOnlyList<Measured> measured = Measurement.Run(
            [
                new("read the request", () => scenario.Read().Fault is null),
                new("allowed by a grant", scenario.Allowed),
                new("denied by a rule", () => !scenario.Denied()),
            ], rounds: 30);
            PipelineSpeed.Print("the whole pipeline, records dropped", measured);
            return Say("bytes of an allowed call", measured[1].Bytes, AllowedBytes)
                & Say("bytes of a denied call", measured[2].Bytes, DeniedBytes)
                & Say("an allowed call in readings of its message", measured[1].Least / measured[0].Least, ReadsOfAllowed);
        }
        finally
        {
            scenario.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static bool Growth()
    {
        IReadOnlyList<Measured> rules = ScalingSpeed.Grow("rules of the server that name other tools", "rules", [3, 10_000], size => new() { Rules = size });
        return Say("10,000 rules to 3", rules[1].Least / rules[0].Least, RulesRatio) & Say("bytes at 10,000 rules", rules[1].Bytes, AllowedBytes);
    }

    private static async Task<bool> StdioAsync() =>
        Say("a guarded call over stdio to a plain one, everything on, fastest tenth", await RoundTripSpeed.MeasureAsync("stdio", runs: 1, blocks: 20, share: 0.1), StdioRatio);

    private static bool Say(string what, double measured, double most)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(measured <= most ? "held  " : "FAILED")} {what}: {measured:N2}, at most {most:N0}"));
        return measured <= most;
    }
}
