using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Proof;

/// <summary>A clock that stands still until it is told; waits of less than a tenth of a second (the gathering of identical calls) are over at once.</summary>
internal sealed class ProofTime : FakeTimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        dueTime > TimeSpan.Zero && dueTime < TimeSpan.FromMilliseconds(100) && period == Timeout.InfiniteTimeSpan
            ? System.CreateTimer(callback, state, TimeSpan.Zero, period)
            : base.CreateTimer(callback, state, dueTime, period);
}
