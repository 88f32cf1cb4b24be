using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>The calls that ended before their reply, to tell a late reply from a forged one. Bounded: the oldest leaves.</summary>
internal sealed class AbandonedCalls
{
    private const int Capacity = 1024;

    private readonly Lock _gate = new();
    private readonly Queue<RequestId> _order = new();
    private readonly Dictionary<RequestId, AbandonedCall> _calls = [];

    /// <summary>The calls whose late reply may still come.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _calls.Count;
            }
        }
    }

    public void Add(AbandonedCall call)
    {
        lock (_gate)
        {
            if (_calls.TryAdd(call.Id, call))
            {
                _order.Enqueue(call.Id);
                if (_order.Count > Capacity)
                {
                    _calls.Remove(_order.Dequeue());
                }
            }
        }
    }

    /// <summary>The call that a late reply belongs to, once.</summary>
    public AbandonedCall? TryTake(RequestId id)
    {
        lock (_gate)
        {
            return _calls.Remove(id, out AbandonedCall? call) ? call : null;
        }
    }

    /// <summary>The connection ended: no reply can come any more.</summary>
    public IReadOnlyCollection<AbandonedCall> TakeAll()
    {
        lock (_gate)
        {
            AbandonedCall[] all = [.. _calls.Values];
            _calls.Clear();
            _order.Clear();
            return all;
        }
    }
}
