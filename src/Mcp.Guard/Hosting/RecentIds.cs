using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>The ids of calls that ended before their reply, to tell a late reply from a forged one. Bounded: the oldest leaves.</summary>
internal sealed class RecentIds
{
    private const int Capacity = 1024;

    private readonly Lock _gate = new();
    private readonly Queue<RequestId> _order = new();
    private readonly HashSet<RequestId> _ids = [];

    public void Add(RequestId id)
    {
        lock (_gate)
        {
            if (_ids.Add(id))
            {
                _order.Enqueue(id);
                if (_order.Count > Capacity)
                {
                    _ids.Remove(_order.Dequeue());
                }
            }
        }
    }

    public bool Contains(RequestId id)
    {
        lock (_gate)
        {
            return _ids.Contains(id);
        }
    }
}
