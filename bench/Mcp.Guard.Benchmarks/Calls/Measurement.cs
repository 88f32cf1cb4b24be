using System.Diagnostics;

namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>
/// Measures operations in turn, a short batch of each in every round, so that other work on the machine falls on all of them alike: the ratios hold where the
/// times do not. BenchmarkDotNet measures one after the other, minutes apart.
/// </summary>
internal static class Measurement
{
    private static readonly TimeSpan Batch = TimeSpan.FromMilliseconds(4);

    public static IReadOnlyList<Measured> Run(IReadOnlyList<Operation> operations, int rounds = 40)
    {
        var counts = new int[operations.Count];
        var bytes = new double[operations.Count];
        for (int i = 0; i < operations.Count; i++)
        {
            Warm(operations[i]);
        }

        // The optimising compiler works beside the first runs.
        Thread.Sleep(300);
        for (int i = 0; i < operations.Count; i++)
        {
            Warm(operations[i]);
            double one = Time(operations[i], 200) / 200;
            counts[i] = (int)Math.Clamp(Batch.TotalNanoseconds / one, 1, 1_000_000);
            bytes[i] = Bytes(operations[i], Math.Max(counts[i] / 4, 1));
        }

        var times = new double[operations.Count][];
        for (int i = 0; i < operations.Count; i++)
        {
            times[i] = new double[rounds];
        }

        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < operations.Count; i++)
            {
                times[i][round] = Time(operations[i], counts[i]) / counts[i];
                operations[i].Settle?.Invoke();
            }
        }

        var results = new Measured[operations.Count];
        for (int i = 0; i < operations.Count; i++)
        {
            Array.Sort(times[i]);
            results[i] = new(operations[i].Name, times[i][rounds / 2], times[i][0], bytes[i]);
        }

        return results;
    }

    /// <summary>Bytes that one run allocates on this thread.</summary>
    public static double Bytes(Operation operation, int runs)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < runs; i++)
        {
            operation.Run();
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)runs;
    }

    /// <summary>Runs until batches no longer become faster: the optimising compiler works beside the first calls, for longer where the machine is busy.</summary>
    private static void Warm(Operation operation)
    {
        double best = double.MaxValue;
        long start = Stopwatch.GetTimestamp();
        for (int since = 0; since < 6 && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(3); since++)
        {
            double time = Time(operation, 500);
            if (!operation.Run())
            {
                throw new InvalidOperationException($"'{operation.Name}' does not do what is measured");
            }

            operation.Settle?.Invoke();
            Thread.Sleep(20);
            if (time < best * 0.95)
            {
                best = time;
                since = -1;
            }
        }
    }

    private static double Time(Operation operation, int runs)
    {
        Func<bool> run = operation.Run;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < runs; i++)
        {
            run();
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds;
    }
}
