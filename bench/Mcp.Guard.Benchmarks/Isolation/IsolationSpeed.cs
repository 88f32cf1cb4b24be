using System.Diagnostics;
using System.Globalization;
using Mcp.Guard.Isolation;

namespace Mcp.Guard.Benchmarks.Isolation;

/// <summary>
/// Start and call cost of a box against none, taken in turn in one run, so that a load that comes and goes falls on all of them alike.
/// </summary>
internal static class IsolationSpeed
{
    private const int WarmUps = 15;
    private const int Starts = 100;
    private const int CallRounds = 200;
    private const int CallsARound = 50;

    private static readonly byte[] s_line = [.. Enumerable.Repeat((byte)'x', 1023), (byte)'\n'];

    public static async Task<int> RunAsync()
    {
        IsolationPlan none = BoxedProgram.Plan(IsolationMode.None);
        IsolationPlan boxed = BoxedProgram.Plan(IsolationMode.Bubblewrap);
        var runtime = new List<double>();
        var free = new List<double>();
        var inBox = new List<double>();
        for (int i = -WarmUps; i < Starts; i++)
        {
            double[] round = [await RuntimeStartAsync(), await StartAsync(none), await StartAsync(boxed)];
            if (i >= 0)
            {
                runtime.Add(round[0]);
                free.Add(round[1]);
                inBox.Add(round[2]);
            }
        }

        Console.WriteLine($"from the call to the first answer of cat, {Starts} starts each, in turn, ms: least, median");
        Print("runtime's Process", runtime);
        Print("guard, mode none", free);
        Print("guard, bubblewrap", inBox);
        Print("bubblewrap over runtime", [.. inBox.Zip(runtime, static (box, plain) => box - plain)]);
        Print("bubblewrap over none", [.. inBox.Zip(free, static (box, plain) => box - plain)]);
        await CallsAsync(none, boxed);
        return 0;
    }

    private static async Task CallsAsync(IsolationPlan none, IsolationPlan boxed)
    {
        await using ServerProcess freeServer = await BoxedProgram.StartAsync(none);
        await using ServerProcess boxedServer = await BoxedProgram.StartAsync(boxed);
        var free = new List<double>();
        var inBox = new List<double>();
        for (int i = -WarmUps; i < CallRounds; i++)
        {
            double without = await CallAsync(freeServer);
            double within = await CallAsync(boxedServer);
            if (i >= 0)
            {
                free.Add(without);
                inBox.Add(within);
            }
        }

        Console.WriteLine($"1 KB there and back, {CallRounds} rounds of {CallsARound} calls each, in turn, us a call: least, median");
        Print("mode none", free);
        Print("bubblewrap", inBox);
    }

    private static async Task<double> RuntimeStartAsync()
    {
        long began = Stopwatch.GetTimestamp();
        using Process process = Process.Start(new ProcessStartInfo("/usr/bin/cat") { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await BoxedProgram.RoundTripAsync(process.StandardInput.BaseStream, process.StandardOutput.BaseStream, s_line, new byte[s_line.Length]);
        double took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return took;
    }

    private static async Task<double> StartAsync(IsolationPlan plan)
    {
        long began = Stopwatch.GetTimestamp();
        await using ServerProcess server = await BoxedProgram.StartAsync(plan);
        await BoxedProgram.RoundTripAsync(server.Input, server.Output, s_line, new byte[s_line.Length]);
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private static async Task<double> CallAsync(ServerProcess server)
    {
        byte[] buffer = new byte[s_line.Length];
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < CallsARound; i++)
        {
            await BoxedProgram.RoundTripAsync(server.Input, server.Output, s_line, buffer);
        }

        return Stopwatch.GetElapsedTime(began).TotalMicroseconds / CallsARound;
    }

    private static void Print(string name, List<double> values)
    {
        values.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-26} {values[0],8:0.0} {values[values.Count / 2],8:0.0}"));
    }
}
