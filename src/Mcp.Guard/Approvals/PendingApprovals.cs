namespace Mcp.Guard.Approvals;

/// <summary>The approvals that one chat client waits for. Each answers once. Bounded: the oldest of a caller, then the oldest of all, gives way.</summary>
internal sealed class PendingApprovals
{
    public const int Max = 1_024;
    public const int MaxPerCaller = 64;

    private readonly Lock _gate = new();
    private readonly List<(string RequestId, PendingApproval Approval)> _pending = [];

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _pending.Count;
            }
        }
    }

    /// <summary>Remembers what was asked. The same request id of the same caller is asked anew: the earlier question is void.</summary>
    public void Add(string requestId, PendingApproval approval, DateTimeOffset now)
    {
        lock (_gate)
        {
            _pending.RemoveAll(item => now >= item.Approval.ExpiresAt + item.Approval.Call.Settings!.Limits.ConsentTimeout || IsFor(item, requestId, approval.Asker));
            if (_pending.Count(item => Equals(item.Approval.Asker, approval.Asker)) >= MaxPerCaller)
            {
                _pending.RemoveAt(_pending.FindIndex(item => Equals(item.Approval.Asker, approval.Asker)));
            }

            if (_pending.Count >= Max)
            {
                _pending.RemoveAt(0);
            }

            _pending.Add((requestId, approval));
        }
    }

    /// <summary>Takes what was asked of this caller under this id; null where nothing was, or it was answered.</summary>
    public PendingApproval? Take(string requestId, GuardCaller? asker)
    {
        lock (_gate)
        {
            int at = _pending.FindIndex(item => IsFor(item, requestId, asker));
            if (at < 0)
            {
                return null;
            }

            PendingApproval approval = _pending[at].Approval;
            _pending.RemoveAt(at);
            return approval;
        }
    }

    private static bool IsFor((string RequestId, PendingApproval Approval) item, string requestId, GuardCaller? asker) =>
        string.Equals(item.RequestId, requestId, StringComparison.Ordinal) && Equals(item.Approval.Asker, asker);
}
