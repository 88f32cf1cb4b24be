using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using Mcp.Guard.Isolation;

namespace Mcp.Guard.Benchmarks.Isolation;

/// <summary>From the call to the first answer of the started program: by the runtime alone, by the guard without a box, by the guard in a box.</summary>
[SimpleJob(RunStrategy.Monitoring, warmupCount: 20, iterationCount: 150)]
[MinColumn, MedianColumn]
public class StartBenchmarks
{
    private readonly byte[] _line = "hello\n"u8.ToArray();
    private readonly byte[] _buffer = new byte[64];
    private readonly List<IAsyncDisposable> _servers = [];
    private readonly List<Process> _processes = [];
    private IsolationPlan? _none;
    private IsolationPlan? _boxed;

    [GlobalSetup]
    public void Setup()
    {
        _none = BoxedProgram.Plan(IsolationMode.None);
        _boxed = BoxedProgram.Plan(IsolationMode.Bubblewrap);
    }

    [IterationCleanup]
    public void Stop()
    {
        foreach (IAsyncDisposable server in _servers)
        {
            server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }

        foreach (Process process in _processes)
        {
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }

        _servers.Clear();
        _processes.Clear();
    }

    [Benchmark(Baseline = true)]
    public async Task Runtime()
    {
        var start = new ProcessStartInfo("/usr/bin/cat") { RedirectStandardInput = true, RedirectStandardOutput = true };
        Process process = Process.Start(start)!;
        _processes.Add(process);
        await BoxedProgram.RoundTripAsync(process.StandardInput.BaseStream, process.StandardOutput.BaseStream, _line, _buffer);
    }

    [Benchmark]
    public Task None() => StartAsync(_none!);

    [Benchmark]
    public Task Bubblewrap() => StartAsync(_boxed!);

    private async Task StartAsync(IsolationPlan plan)
    {
        ServerProcess server = await BoxedProgram.StartAsync(plan);
        _servers.Add(server);
        await BoxedProgram.RoundTripAsync(server.Input, server.Output, _line, _buffer);
    }
}
