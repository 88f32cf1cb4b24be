using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>The calls that ended before their reply, to tell a late reply from a forged one. Bounded: the oldest leaves.</summary>
internal sealed class AbandonedCalls
{
    private const int Capacity = 1024;

    private readonly Lock _gate = new();
    private readonly Queue<RequestId> _order = new();
    private readonly Dictionary<RequestId, OpenCall> _calls = [];

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

    public void Add(OpenCall call)
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
    public OpenCall? TryTake(RequestId id)
    {
        lock (_gate)
        {
            return _calls.Remove(id, out OpenCall? call) ? call : null;
        }
    }
}
