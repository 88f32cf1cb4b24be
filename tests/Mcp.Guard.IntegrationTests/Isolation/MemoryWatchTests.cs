using System.Globalization;
using Mcp.Guard.Isolation;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>Memory that the limits of a process do not count, in a box without a cgroup: the guard's watch ends the box.</summary>
[TestFixture]
internal sealed class MemoryWatchTests
{
    private const long Limit = 256L << 20;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [SetUp]
    public void SetUp() => Probe.RequireBubblewrap();

    // Each takes at most some GiB, in case it is not stopped.
    private static IEnumerable<TestCaseData> Escapes()
    {
        yield return new TestCaseData((object)new[] { "hold-hidden", Text(2L << 30) }).SetArgDisplayNames("pages written and made read-only");
        yield return new TestCaseData((object)new[] { "hold-tables", Text(2L << 30) }).SetArgDisplayNames("page tables of untouched memory");
        yield return new TestCaseData((object)new[] { "hold-without-leader", Text(2L << 30) }).SetArgDisplayNames("a process whose first thread has ended");
        yield return new TestCaseData((object)new[] { "hold-in-children", "6", Text(160L << 20) }).SetArgDisplayNames("several processes below the limit each");
        yield return new TestCaseData((object)new[] { "hold-file", "/tmp/file", Text(1L << 30) }).SetArgDisplayNames("a file in memory");
    }

    [TestCaseSource(nameof(Escapes))]
    public async Task Hold_MoreThanTheLimitInAnyForm_EndsTheBox(string[] attempt)
    {
        var log = new LineLog();
        IsolationOptions options = Probe.Boxed(attempt) with { Memory = Limit, Temp = 2L << 30, FileSize = 2L << 30, Required = [IsolationControls.MemoryWatch] };
        IsolationPlan plan = IsolationPlanner.Create(options, IsolationHost.Detect() with { CgroupParent = null });
        string? told = null;
        await using ServerProcess server = await ServerProcess.StartAsync(plan, new ServerProcessOptions(), log);
        server.OnOverLimit(reason => told = reason);
        ServerProcessExit exit = await server.Exited.WaitAsync(s_patience);
        TestContext.Out.WriteLine(told);
        Assert.Multiple(() =>
        {
            Assert.That(exit.Code, Is.EqualTo(137), string.Join('\n', exit.ErrorTail));
            Assert.That(exit.Requested, Is.True);
            Assert.That(told, Does.Contain("over its limit of 268435456"));
            Assert.That(log.Lines, Has.Some.Contains("is ended: its "));
        });
    }

    [Test]
    public async Task Hold_LessThanTheLimit_IsLeftAlone()
    {
        var log = new LineLog();
        IsolationPlan plan = IsolationPlanner.Create(Probe.Boxed("hold-hidden", Text(64L << 20)) with { Memory = Limit }, IsolationHost.Detect() with { CgroupParent = null });
        await using ServerProcess server = await ServerProcess.StartAsync(plan, new ServerProcessOptions(), log);
        using var reader = new StreamReader(server.Output, leaveOpen: true);
        Assert.That(await reader.ReadLineAsync().WaitAsync(s_patience), Does.StartWith("holds "));
        Assert.That(async () => await server.Exited.WaitAsync(TimeSpan.FromSeconds(2)), Throws.TypeOf<TimeoutException>());
        Assert.That(log.Lines, Has.None.Contains("is ended: "));
    }

    [Test]
    public void Plan_WithoutACgroup_SaysThatTheGuardWatches()
    {
        IsolationPlan plan = IsolationPlanner.Create(Probe.Boxed("exit", "0") with { Memory = Limit }, IsolationHost.Detect() with { CgroupParent = null });
        Assert.Multiple(() =>
        {
            Assert.That(plan.WatchedMemory, Is.EqualTo(Limit));
            Assert.That(plan.Describe(), Does.Contain("memory-watch: 268435456 bytes together, looked at by the guard").And.Contain("total-memory: no cgroup"));
        });
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
