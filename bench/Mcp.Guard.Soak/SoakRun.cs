using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Soak;

/// <summary>One run: connections at work, a sample every few seconds, and the verdict.</summary>
internal sealed class SoakRun : IAsyncDisposable
{
    private const double MaxHeapGrowth = 1.10;
    private const long HeapNoise = 2 * 1024 * 1024;
    private const int MaxMoreHandles = 8;
    private const double MaxWorstGrowth = 3;

    private readonly SoakOptions _options;
    private readonly string _folder = Directory.CreateTempSubdirectory("mcp-guard-soak-").FullName;
    private readonly ServiceProvider _services;
    private readonly List<SoakConnection> _connections = [];
    private readonly SoakTimes _times = new();
    private readonly List<SoakSample> _samples = [];
    private readonly CancellationTokenSource _end = new();

    public SoakRun(SoakOptions options)
    {
        _options = options;
        string root = Directory.CreateDirectory(Path.Combine(_folder, "project")).FullName;
        File.WriteAllText(Path.Combine(root, "notes.txt"), "notes");
        var services = new ServiceCollection();
        services.AddMcpGuard(policy => policy
                .StateDirectory(Path.Combine(_folder, "state"))
                .AuditDirectory(Path.Combine(_folder, "audit"))
                .RateLimit(1_000_000, TimeSpan.FromSeconds(1))
                .Default("maxConcurrentCalls", "100000")
                .Default("maxConcurrentCallsPerCaller", "100000")
                .Server("soak", server => server
                    .HostProvided()
                    .Root(root)
                    .Allow("reads", "read", "extra")
                    .Allow("slow", rule => rule.Tools("slow").Timeout(TimeSpan.FromMilliseconds(100)))
                    .Ask("edits", "edit")
                    .Deny("drops", "drop_*")))
            .UseConsent((request, _) => new ValueTask<ConsentAnswer>(ConsentAnswer.AllowTool(request)));
        _services = services.BuildServiceProvider();
        var guard = _services.GetRequiredService<IMcpGuard>();
        for (int i = 0; i < options.Connections; i++)
        {
            _connections.Add(new SoakConnection(guard, root, i));
        }
    }

    /// <summary>Runs to the end; true where all held.</summary>
    public async Task<bool> RunAsync()
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"soak: {_options.Connections} connections, {_options.Rate} calls a second, {_options.Minutes} minutes, {(File.Exists(Path.Combine(AppContext.BaseDirectory, "Mcp.Guard.Soak.dll")) ? "JIT" : "native AOT")}"));
        foreach (SoakConnection connection in _connections)
        {
            await connection.OpenAsync();
        }

        TimeSpan pause = TimeSpan.FromSeconds((double)_options.Connections / _options.Rate);
        Task[] workers = [.. _connections.Select((connection, number) => Task.Run(() => WorkAsync(connection, pause, number)))];
        await WatchAsync();
        await _end.CancelAsync();
        await Task.WhenAll(workers);
        return Judge();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (SoakConnection connection in _connections)
        {
            await connection.DisposeAsync();
        }

        await _services.DisposeAsync();
        _end.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task WorkAsync(SoakConnection connection, TimeSpan pause, int number)
    {
        var random = new Random(number);
        try
        {
            while (!_end.IsCancellationRequested)
            {
                await Task.Delay(pause * (0.5 + random.NextDouble()), _end.Token);
                await connection.CallAsync(_times);
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The end of the run.
        }
        catch (Exception fault)
        {
            connection.Faults.Add($"connection {number} failed: {fault}");
        }
    }

    private async Task WatchAsync()
    {
        Console.WriteLine("| second | heap MiB | working set MiB | handles | threads | allowed calls | median ms | 99th percentile ms |\n|---|---|---|---|---|---|---|---|");
        TimeSpan every = TimeSpan.FromSeconds(Math.Clamp(_options.Minutes * 60 / 60, 5, 30));
        long start = Stopwatch.GetTimestamp();
        TimeSpan whole = TimeSpan.FromMinutes(_options.Minutes);
        while (Stopwatch.GetElapsedTime(start) < whole)
        {
            await Task.Delay(every);
            (long calls, double median, double worst) = _times.Take();
            using Process self = Process.GetCurrentProcess();
            var sample = new SoakSample(
                (int)Stopwatch.GetElapsedTime(start).TotalSeconds,
                GC.GetTotalMemory(forceFullCollection: true),
                self.WorkingSet64,
                Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0,
                self.Threads.Count,
                calls,
                median,
                worst);
            _samples.Add(sample);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {sample.Second} | {sample.HeapBytes / 1048576.0:N1} | {sample.WorkingSetBytes / 1048576.0:N0} | {sample.Handles} | {sample.Threads} | {sample.Calls} | {sample.MedianMs:N3} | {sample.WorstMs:N2} |"));
        }
    }

    /// <summary>Compares the last third after the warm-up with the first.</summary>
    private bool Judge()
    {
        List<SoakSample> steady = [.. _samples.Where(sample => sample.Second >= _options.WarmUp)];
        if (steady.Count < 3)
        {
            Console.WriteLine("soak: too short to compare anything");
            return false;
        }

        List<SoakSample> first = steady[..(steady.Count / 3)];
        List<SoakSample> last = steady[^(steady.Count / 3)..];
        double heapBefore = Median(first, sample => sample.HeapBytes);
        double heapAfter = Median(last, sample => sample.HeapBytes);
        double handlesBefore = Median(first, sample => sample.Handles);
        double handlesAfter = Median(last, sample => sample.Handles);
        double worstBefore = Median(first, sample => sample.WorstMs);
        double worstAfter = Median(last, sample => sample.WorstMs);
        List<string> faults = [.. _connections.SelectMany(connection => connection.Faults)];
        bool holds = Say("heap", heapAfter <= (heapBefore * MaxHeapGrowth) + HeapNoise, string.Create(CultureInfo.InvariantCulture, $"{heapBefore / 1048576:N1} to {heapAfter / 1048576:N1} MiB"))
            & Say("handles", handlesAfter <= handlesBefore + MaxMoreHandles, string.Create(CultureInfo.InvariantCulture, $"{handlesBefore} to {handlesAfter}"))
            & Say("99th percentile", worstAfter <= worstBefore * MaxWorstGrowth, string.Create(CultureInfo.InvariantCulture, $"{worstBefore:N2} to {worstAfter:N2} ms"))
            & Say("verdicts", faults.Count == 0, faults.Count == 0 ? "every call ended as it must" : string.Join("\n  ", faults.Take(20)));
        Console.WriteLine(holds ? "soak: all held" : "soak: FAILED");
        return holds;
    }

    private static double Median(List<SoakSample> samples, Func<SoakSample, double> of) => samples.Select(of).Order().ElementAt(samples.Count / 2);

    private static bool Say(string what, bool holds, string how)
    {
        Console.WriteLine($"{(holds ? "held  " : "FAILED")} {what}: {how}");
        return holds;
    }
}
