using Mcp.Guard.Audit;

namespace Mcp.Guard.Hosting;

/// <summary>Counts what a server sends unasked over one connection, and says once when it is too much.</summary>
internal sealed class ServerFlood(AuditFloodOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private long _windowStart = time.GetTimestamp();
    private long _refused;
    private long _delivered;
    private bool _isOver;

    /// <summary>Counts one message; true for the one that is too much.</summary>
    public bool Add(bool isRefused)
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_windowStart) >= options.Window)
            {
                _windowStart = time.GetTimestamp();
                _refused = 0;
                _delivered = 0;
            }

            long count = isRefused ? ++_refused : ++_delivered;
            if (_isOver || count < (isRefused ? options.RefusedBeforeDisconnect : options.DeliveredBeforeDisconnect))
            {
                return false;
            }

            _isOver = true;
            return true;
        }
    }
}
