using Mcp.Guard.Stages.Timeouts;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.Timeout;

[TestFixture]
internal sealed class CallDeadlineTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Test]
    public void Expired_ProgressEverySecond_StillEndsAtTheTotal()
    {
        var time = new FakeTimeProvider();
        using var deadline = Of(new CallTimeLimits { Total = 30 * Second }, time);
        for (int i = 0; i < 29; i++)
        {
            time.Advance(Second);
            deadline.OnProgress();
        }

        time.Advance(Second - TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.True);
    }

    [Test]
    public void Expired_RuleLetsProgressExtend_EndsAtTheCap()
    {
        var time = new FakeTimeProvider();
        using var deadline = Of(new CallTimeLimits { Total = 10 * Second, PerProgress = 5 * Second, ProgressCap = 20 * Second }, time);
        int seconds = 0;
        while (!deadline.IsExpired && seconds < 100)
        {
            time.Advance(Second);
            seconds++;
            deadline.OnProgress();
        }

        Assert.That(seconds, Is.EqualTo(20));
    }

    [Test]
    public void Expired_ProgressStops_EndsAfterTheLastGrant()
    {
        var time = new FakeTimeProvider();
        using var deadline = Of(new CallTimeLimits { Total = 10 * Second, PerProgress = 5 * Second, ProgressCap = 60 * Second }, time);
        time.Advance(9 * Second);
        deadline.OnProgress();
        time.Advance(5 * Second - TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.True);
    }

    [Test]
    public void Pause_WhileAPersonIsAsked_DoesNotCount()
    {
        var time = new FakeTimeProvider();
        using var deadline = Of(new CallTimeLimits { Total = 10 * Second }, time);
        time.Advance(4 * Second);
        IDisposable first = deadline.Pause();
        time.Advance(60 * Second);
        IDisposable second = deadline.Pause();
        first.Dispose();
        first.Dispose();
        time.Advance(60 * Second);
        Assert.That(deadline.Used, Is.EqualTo(4 * Second));
        second.Dispose();
        time.Advance(6 * Second - TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.True);
    }

    // Time used, the time in which a person is asked taken away: the deadline comes exactly then, whatever pauses lie between.
    [TestCase(5, 60)]
    [TestCase(5, 119)]
    [TestCase(0, 30)]
    public void Pause_Several_OnlyWhatTheToolUsesCounts(int first, int second)
    {
        var time = new FakeTimeProvider();
        using var deadline = Of(new CallTimeLimits { Total = 10 * Second }, time);
        time.Advance(2 * Second);
        using (deadline.Pause())
        {
            time.Advance(first * Second);
        }

        time.Advance(3 * Second);
        Assert.That(deadline.Used, Is.EqualTo(5 * Second));
        IDisposable again = deadline.Pause();
        time.Advance((second - first) * Second);
        Assert.That((deadline.IsExpired, deadline.Used), Is.EqualTo((false, 5 * Second)));
        again.Dispose();
        time.Advance((5 * Second) - TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.True);
    }

    // Two questions at the same time stop the clock once, until the last is answered.
    [Test]
    public void Pause_Overlapping_IsOnePauseFromTheFirstToTheLast()
    {
        var time = new FakeTimeProvider();
        using var deadline = Of(new CallTimeLimits { Total = 10 * Second }, time);
        time.Advance(4 * Second);
        IDisposable first = deadline.Pause();
        time.Advance(10 * Second);
        IDisposable second = deadline.Pause();
        time.Advance(10 * Second);
        first.Dispose();
        Assert.That(deadline.Used, Is.EqualTo(4 * Second));
        time.Advance(10 * Second);
        Assert.That(deadline.Used, Is.EqualTo(4 * Second));
        second.Dispose();
        time.Advance(1 * Second);
        Assert.That(deadline.Used, Is.EqualTo(5 * Second));
        time.Advance((5 * Second) - TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.True);
    }

    // A pause that nobody ends holds a call open for its most and no longer.
    [TestCase(0)]
    [TestCase(15)]
    public void Pause_WithoutAnEnd_CountsUpToItsMost(int before)
    {
        var time = new FakeTimeProvider();
        using var deadline = Of(new CallTimeLimits { Total = 10 * Second, MaxPaused = 20 * Second }, time);
        time.Advance(3 * Second);
        using (deadline.Pause())
        {
            time.Advance(before * Second);
        }

        deadline.Pause();
        time.Advance((27 - before) * Second - TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.True);
        Assert.That(deadline.Used, Is.EqualTo(10 * Second));
    }

    [Test]
    public void Pause_EndsAfterTheCall_NothingExpires()
    {
        var time = new FakeTimeProvider();
        int told = 0;
        var deadline = new CallDeadline(new CallTimeLimits { Total = Second }, time, _ => told++, null);
        IDisposable pause = deadline.Pause();
        deadline.Dispose();
        pause.Dispose();
        time.Advance(500 * Second);
        Assert.That((deadline.IsExpired, told), Is.EqualTo((false, 0)));
    }

    // The cap of progress never shortens the time that the call has anyway, and a late sign never brings the deadline nearer.
    [TestCase(5, 3, 10)]
    [TestCase(5, 20, 12)]
    [TestCase(1, 20, 10)]
    public void OnProgress_GrantAndCap_NeverShortenTheTime(int grant, int cap, int ends)
    {
        var time = new FakeTimeProvider();
        using var deadline = Of(new CallTimeLimits { Total = 10 * Second, PerProgress = grant * Second, ProgressCap = cap * Second }, time);
        time.Advance(7 * Second);
        deadline.OnProgress();
        time.Advance((ends - 7) * Second - TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.IsExpired, Is.True);
    }

    [Test]
    public void Dispose_Deadline_LeavesNoTimer()
    {
        var time = new CountingTimers();
        var deadline = Of(new CallTimeLimits { Total = Second }, time);
        Assert.That(time.Running, Is.EqualTo(1));
        deadline.Dispose();
        Assert.That(time.Running, Is.Zero);
    }

    [Test]
    public void Expired_CallbackThrows_DoesNotReachTheTimer()
    {
        var time = new FakeTimeProvider();
        using var deadline = new CallDeadline(new CallTimeLimits { Total = Second }, time, static _ => throw new InvalidOperationException("broken"), null);
        Assert.That(() => time.Advance(2 * Second), Throws.Nothing);
        Assert.That(deadline.IsExpired, Is.True);
    }

    [Test]
    public void Dispose_BeforeTheDeadline_NothingExpires()
    {
        var time = new FakeTimeProvider();
        int told = 0;
        var deadline = new CallDeadline(new CallTimeLimits { Total = Second }, time, _ => told++, null);
        deadline.Dispose();
        time.Advance(5 * Second);
        deadline.OnProgress();
        Assert.That((deadline.IsExpired, told), Is.EqualTo((false, 0)));
    }

    [Test]
    public void Expired_Once_TellsItsOwnerOnceWithItsState()
    {
        var time = new FakeTimeProvider();
        var told = new List<object?>();
        using var deadline = new CallDeadline(new CallTimeLimits { Total = Second }, time, told.Add, "call");
        time.Advance(Second);
        time.Advance(5 * Second);
        deadline.OnProgress();
        Assert.That(told, Is.EqualTo(new[] { "call" }));
    }

    private static CallDeadline Of(CallTimeLimits limits, TimeProvider time) => new(limits, time, static _ => { }, null);

    private sealed class CountingTimers : FakeTimeProvider
    {
        public int Running { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Running++;
            return new Counted(base.CreateTimer(callback, state, dueTime, period), () => Running--);
        }

        private sealed class Counted(ITimer inner, Action ended) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(dueTime, period);

            public void Dispose()
            {
                ended();
                inner.Dispose();
            }

            public ValueTask DisposeAsync()
            {
                ended();
                return inner.DisposeAsync();
            }
        }
    }
}
