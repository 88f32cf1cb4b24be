namespace Mcp.Guard.Cli.Replay;

/// <summary>
/// Stands at the time of the call that is judged, so that rates and budgets count as they did. It never goes back. Timers run by the real clock: they only
/// bound what a stage may take.
/// </summary>
internal sealed class ReplayClock : TimeProvider
{
    private long _ticks = DateTimeOffset.UnixEpoch.UtcTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void MoveTo(DateTimeOffset time) => _ticks = Math.Max(_ticks, time.UtcTicks);

    public override DateTimeOffset GetUtcNow() => new(_ticks, TimeSpan.Zero);

    public override long GetTimestamp() => _ticks;
}
