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
        using var deadline = new CallDeadline(new CallTimeLimits { Total = 30 * Second }, time);
        for (int i = 0; i < 29; i++)
        {
            time.Advance(Second);
            deadline.OnProgress();
        }

        time.Advance(Second - TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.Expired.IsCancellationRequested, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.Expired.IsCancellationRequested, Is.True);
    }

    [Test]
    public void Expired_RuleLetsProgressExtend_EndsAtTheCap()
    {
        var time = new FakeTimeProvider();
        using var deadline = new CallDeadline(new CallTimeLimits { Total = 10 * Second, PerProgress = 5 * Second, ProgressCap = 20 * Second }, time);
        int seconds = 0;
        while (!deadline.Expired.IsCancellationRequested && seconds < 100)
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
        using var deadline = new CallDeadline(new CallTimeLimits { Total = 10 * Second, PerProgress = 5 * Second, ProgressCap = 60 * Second }, time);
        time.Advance(9 * Second);
        deadline.OnProgress();
        time.Advance(5 * Second - TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.Expired.IsCancellationRequested, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.Expired.IsCancellationRequested, Is.True);
    }

    [Test]
    public void Pause_WhileAPersonIsAsked_DoesNotCount()
    {
        var time = new FakeTimeProvider();
        using var deadline = new CallDeadline(new CallTimeLimits { Total = 10 * Second }, time);
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
        Assert.That(deadline.Expired.IsCancellationRequested, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(deadline.Expired.IsCancellationRequested, Is.True);
    }

    [Test]
    public void Expired_CallbackThrows_DoesNotReachTheTimer()
    {
        var time = new FakeTimeProvider();
        using var deadline = new CallDeadline(new CallTimeLimits { Total = Second }, time);
        deadline.Expired.Register(() => throw new InvalidOperationException("broken"));
        Assert.That(() => time.Advance(2 * Second), Throws.Nothing);
        Assert.That(deadline.Expired.IsCancellationRequested, Is.True);
    }

    [Test]
    public void Dispose_BeforeTheDeadline_NothingExpires()
    {
        var time = new FakeTimeProvider();
        var deadline = new CallDeadline(new CallTimeLimits { Total = Second }, time);
        CancellationToken token = deadline.Expired;
        deadline.Dispose();
        time.Advance(5 * Second);
        deadline.OnProgress();
        Assert.That(token.IsCancellationRequested, Is.False);
    }
}
