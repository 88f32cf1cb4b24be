namespace Mcp.Guard.Audit;

/// <summary>Writes that nobody holds, for the next records.</summary>
/// <param name="write">Writes what waits, for a record whose caller found nobody writing.</param>
internal sealed class PendingAuditWritePool(Action<PendingAuditWrite> write)
{
    private const int MaxPooled = 1_024;

    private readonly Lock _gate = new();
    private PendingAuditWrite? _first;
    private int _count;

    public Action<PendingAuditWrite> Write => write;

    public PendingAuditWrite Rent()
    {
        lock (_gate)
        {
            if (_first is { } pending)
            {
                _count--;
                _first = pending.Next;
                pending.Next = null;
                return pending;
            }
        }

        return new(this);
    }

    /// <summary>Puts a write back; called by the write itself when nobody holds it.</summary>
    public void Return(PendingAuditWrite pending)
    {
        lock (_gate)
        {
            if (_count < MaxPooled)
            {
                _count++;
                pending.Next = _first;
                _first = pending;
            }
        }
    }
}
