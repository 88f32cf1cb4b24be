namespace Mcp.Guard.Audit;

/// <summary>How many records were written and how many were not, and what of the latter the log has still to tell.</summary>
/// <param name="waits">True where callers wait for their records, so that one that is not written was refused; otherwise it was dropped.</param>
internal sealed class AuditRecordCounts(bool waits)
{
    private long _written;
    private long _refused;
    private long _dropped;
    private long _refusedToTell;
    private long _droppedToTell;

    public long Written => Volatile.Read(ref _written);

    public long Refused => Volatile.Read(ref _refused);

    public long Dropped => Volatile.Read(ref _dropped);

    public void AddWritten(int count)
    {
        Interlocked.Add(ref _written, count);
        GuardTelemetry.CountRecords("written", count);
    }

    /// <summary>A record was not written.</summary>
    public void AddLost()
    {
        Interlocked.Increment(ref waits ? ref _refused : ref _dropped);
        Interlocked.Increment(ref waits ? ref _refusedToTell : ref _droppedToTell);
        GuardTelemetry.CountRecords(waits ? "refused" : "dropped", 1);
    }

    /// <summary>What was not written since it was last asked for; false where nothing is missing.</summary>
    public bool TryTakeUntold(out long refused, out long dropped)
    {
        if (Volatile.Read(ref _refusedToTell) == 0 && Volatile.Read(ref _droppedToTell) == 0)
        {
            refused = dropped = 0;
            return false;
        }

        refused = Interlocked.Exchange(ref _refusedToTell, 0);
        dropped = Interlocked.Exchange(ref _droppedToTell, 0);
        return true;
    }
}
