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
}
