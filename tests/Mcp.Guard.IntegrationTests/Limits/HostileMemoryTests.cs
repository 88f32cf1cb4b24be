using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Mcp.Guard.IntegrationTests.Isolation;

namespace Mcp.Guard.IntegrationTests.Limits;

/// <summary>What a hostile server can make its host hold in memory, measured in a host process of its own.</summary>
[TestFixture]
internal sealed partial class HostileMemoryTests
{
    private const long Limit = 32L << 20;

    [SetUp]
    public void RequireLinux() => Probe.RequireLinux();

    [Test]
    public async Task TwoHundredMegabytes_HostStaysUnderThreeTimesTheLimitAndOthersGoOn()
    {
        var saw = await RunAsync($"huge {200L << 20} {Limit} 500");
        Assert.Multiple(() =>
        {
            Assert.That(saw.Answer, Does.Contain("[server-unavailable]").Or.Contain("[result-too-large]"));
            Assert.That(saw.Grown, Is.LessThan(3 * Limit));
            Assert.That(saw.Echoes, Is.GreaterThan(0));
            Assert.That(saw.Slowest, Is.LessThan(30_000));
        });
    }

    [TestCase(20)]
    [TestCase(200_000)]
    public async Task FloodOfNotifications_MemoryIsBoundedAndOthersGoOn(int bytes)
    {
        var saw = await RunAsync($"flood {bytes} {Limit} 8000");
        Assert.Multiple(() =>
        {
            Assert.That(saw.Answer, Is.EqualTo("flooding"));
            Assert.That(saw.Grown, Is.LessThan(3 * Limit));
            Assert.That(saw.Echoes, Is.GreaterThan(0));
            Assert.That(saw.Own > 0 || saw.Ended, Is.True, "calls to the flooding server itself are answered until it is disconnected");
            Assert.That(saw.Slowest, Is.LessThan(30_000));
        });
    }

    private static async Task<(long Grown, int Echoes, int Own, bool Ended, long Slowest, string Answer)> RunAsync(string what)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment[HostileHost.Variable] = what;

        // The runtime lets garbage grow with the processor's cache, which says nothing about what is held.
        start.Environment["DOTNET_GCgen0size"] = "0x400000";
        start.Environment["DOTNET_GCConserveMemory"] = "5";

        // And on a busy machine garbage waits longer. What is held beyond three times the limit, the host's own objects included, ends the process, and with it the test.
        start.Environment["DOTNET_GCHeapHardLimit"] = (3 * Limit).ToString("x", CultureInfo.InvariantCulture);
        using Process host = Process.Start(start)!;
        string output = await host.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(4));
        await host.WaitForExitAsync();
        TestContext.Out.WriteLine($"{what}: {output.Trim()}");
        Match line = Line().Match(output);
        Assert.That(line.Success, Is.True, output);
        return (Number(1), (int)Number(2), (int)Number(3), line.Groups[4].Value == "True", Number(5), line.Groups[6].Value.Trim());

        long Number(int group) => long.Parse(line.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"grown=(-?\d+) echoes=(\d+) own=(\d+) ended=(True|False) slowest=(\d+) answer=(.*)", RegexOptions.NonBacktracking)]
    private static partial Regex Line();
}
