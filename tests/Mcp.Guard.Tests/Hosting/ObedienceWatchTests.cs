using Mcp.Guard.Hosting;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>The rule of docs/limits.md, "A server that does not obey", step by step.</summary>
[TestFixture]
#pragma warning disable CA1001 // What a test makes its tear-down disposes of.
internal sealed class ObedienceWatchTests
#pragma warning restore CA1001
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly List<RequestId> _probes = [];
    private readonly List<string> _ends = [];
    private FakeTimeProvider _time = new();
    private bool _blocked;
    private ObedienceWatch _watch = null!;

    [SetUp]
    public void SetUp()
    {
        _probes.Clear();
        _ends.Clear();
        _blocked = false;
        _time = new FakeTimeProvider();
        _watch = new ObedienceWatch(
            _time,
            id =>
            {
                lock (_probes)
                {
                    _probes.Add(id);
                }

                return Task.CompletedTask;
            },
            () => _blocked,
            _ends.Add);
    }

    [TearDown]
    public void TearDown() => _watch.Dispose();

    [Test]
    public async Task GaveUp_NothingAnswered_EndsAfterTheGraceAndOnce()
    {
        _watch.GaveUp(null, []);
        await ProbedAsync(1);
        _time.Advance(ObedienceWatch.Grace - Moment);
        Assert.That(_ends, Is.Empty);
        _time.Advance(Moment);
        Assert.That(_ends, Has.Count.EqualTo(1));
        _watch.GaveUp(null, []);
        _time.Advance(10 * ObedienceWatch.Grace);
        Assert.That(_ends, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task GaveUp_ProbeAnswered_LivesOn()
    {
        _watch.GaveUp(null, []);
        await ProbedAsync(1);
        Assert.That(_watch.OnReply(new RequestId("guard-other")), Is.False, "a forged answer to another id is none");
        Assert.That(_watch.OnReply(_probes[0]), Is.True);
        _time.Advance(10 * ObedienceWatch.Grace);
        Assert.That(_ends, Is.Empty);
        Assert.That(_watch.OnReply(_probes[0]), Is.False, "once");
    }

    [Test]
    public async Task GaveUp_CallOfAClientAnswered_LivesOn()
    {
        _watch.GaveUp(null, []);
        await ProbedAsync(1);
        _watch.OnLife();
        _time.Advance(10 * ObedienceWatch.Grace);
        Assert.That(_ends, Is.Empty);
    }

    [Test]
    public async Task GaveUp_LifeSignFromBefore_ProvesNothing()
    {
        _watch.OnLife();
        _watch.GaveUp(null, []);
        await ProbedAsync(1);
        _time.Advance(ObedienceWatch.Grace);
        Assert.That(_ends, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task GaveUp_AnOlderCallRunsWithinItsTime_WaitsForIt()
    {
        var older = new OpenCall(new RequestId(1), new GuardCaller("ada", "s"), null);
        older.MarkForwarded();
        _watch.GaveUp(null, [older]);
        await ProbedAsync(1);
        _time.Advance(3 * ObedienceWatch.Grace);
        Assert.That(_ends, Is.Empty, "a server that does one thing at a time may rightly be busy with it");
        older.TryTake();
        _time.Advance(ObedienceWatch.Grace);
        Assert.That(_ends, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task GaveUp_WhileAProbeRuns_ProbesAgainAfterIt()
    {
        _watch.GaveUp(null, []);
        await ProbedAsync(1);
        _watch.GaveUp(null, []);
        _watch.OnReply(_probes[0]);
        _time.Advance(ObedienceWatch.Grace);
        await ProbedAsync(2);
        _time.Advance(ObedienceWatch.Grace);
        Assert.That(_ends, Has.Count.EqualTo(1), "the second probe had no answer");
    }

    [Test]
    public async Task OnProgress_AfterTheGrace_Ends()
    {
        _watch.GaveUp("\"t\"", []);
        await ProbedAsync(1);
        _watch.OnReply(_probes[0]);
        _watch.OnProgress("\"t\"");
        _watch.OnProgress("\"never seen\"");
        Assert.That(_ends, Is.Empty, "it may have been on its way");
        _time.Advance(ObedienceWatch.Grace);
        _watch.OnProgress("\"t\"");
        _watch.OnProgress("\"t\"");
        Assert.That(_ends, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task OnProgress_AfterALateReply_IsNoSign()
    {
        _watch.GaveUp("\"t\"", []);
        await ProbedAsync(1);
        _watch.OnReply(_probes[0]);
        _watch.Forget("\"t\"");
        _time.Advance(ObedienceWatch.Grace);
        _watch.OnProgress("\"t\"");
        Assert.That(_ends, Is.Empty);
    }

    [Test]
    public async Task GaveUp_EverySlotHeldAfterTheGrace_Ends()
    {
        _watch.GaveUp(null, []);
        await ProbedAsync(1);
        _watch.OnReply(_probes[0]);
        _blocked = true;
        _time.Advance(ObedienceWatch.Grace);
        Assert.That(_ends, Has.Count.EqualTo(1));
    }

    private Task ProbedAsync(int count) => Eventually.True(() =>
    {
        lock (_probes)
        {
            return _probes.Count == count;
        }
    });
}
