using Mcp.Guard.Stages.Consent;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.Consent;

[TestFixture]
internal sealed class PromptLimiterTests
{
    [Test]
    public void TryTake_BurstAndRefill_AreEven()
    {
        var time = new FakeTimeProvider();
        time.Advance(TimeSpan.FromDays(1));
        var limiter = new PromptLimiter(3, TimeSpan.FromSeconds(60), time);
        for (int i = 0; i < 3; i++)
        {
            Assert.That(limiter.TryTake("s", "u", out TimeSpan none), Is.True);
            Assert.That(none, Is.EqualTo(TimeSpan.Zero));
        }

        Assert.That(limiter.TryTake("s", "u", out TimeSpan wait), Is.False);
        Assert.That(wait, Is.EqualTo(TimeSpan.FromSeconds(20)));
        Assert.That(limiter.TryTake("s", "other", out _), Is.True, "each user for himself");
        Assert.That(limiter.TryTake("other", "u", out _), Is.True, "each server for itself");
        time.Advance(TimeSpan.FromSeconds(20) - TimeSpan.FromTicks(1));
        Assert.That(limiter.TryTake("s", "u", out _), Is.False);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.That(limiter.TryTake("s", "u", out _), Is.True);
        Assert.That(limiter.TryTake("s", "u", out _), Is.False);
        time.Advance(TimeSpan.FromHours(1));
        for (int i = 0; i < 4; i++)
        {
            Assert.That(limiter.TryTake("s", "u", out _), Is.EqualTo(i < 3), "no more than the burst is saved up");
        }
    }

    // Where all cells are in use nobody new is asked, and those that are known go on.
    [Test]
    public void TryTake_AllCellsInUse_NobodyNewUntilOneIsIdle()
    {
        var time = new FakeTimeProvider();
        var limiter = new PromptLimiter(2, TimeSpan.FromSeconds(60), time);
        for (int i = 0; i < 10_000; i++)
        {
            Assert.That(limiter.TryTake("s", $"u{i}", out _), Is.True);
        }

        Assert.That(limiter.TryTake("s", "new", out TimeSpan wait), Is.False);
        Assert.That(wait, Is.EqualTo(TimeSpan.FromSeconds(60)));
        Assert.That(limiter.TryTake("s", "u7", out _), Is.True);
        time.Advance(TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1));
        Assert.That(limiter.TryTake("s", "new", out _), Is.False);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.That(limiter.TryTake("s", "new", out _), Is.True, "all but one are full again");
        Assert.That(limiter.TryTake("s", "u7", out _), Is.True);
        Assert.That(limiter.TryTake("s", "u7", out _), Is.False, "what was in use is not forgotten");
    }
}
