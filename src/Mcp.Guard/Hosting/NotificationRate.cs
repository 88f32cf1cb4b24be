using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.RateLimit;

namespace Mcp.Guard.Hosting;

/// <summary>How many notifications of one connection are judged in a second; the rest is dropped before it costs anything.</summary>
internal sealed class NotificationRate
{
    private static readonly GcraRate Rate = GcraRate.Create(MessageLimits.MaxNotificationsPerSecond, TimeSpan.FromSeconds(1), 2 * MessageLimits.MaxNotificationsPerSecond);

    private readonly MonotonicClock _clock;
    private readonly GcraCell _cell;

    public NotificationRate(TimeProvider time)
    {
        _clock = new MonotonicClock(time);
        _cell = new GcraCell(default, Rate, _clock.Now);
    }

    public bool TryTake() => _cell.TryTake(_clock.Now, out _, out _, out _) == GcraOutcome.Admitted;
}
