using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Gateway;

/// <summary>
/// Notifications to one client in the order of their arrival, without making whoever brings them wait. Bounded: a client that does not read loses the newest.
/// </summary>
/// <param name="server">Sends to the client.</param>
/// <param name="capacity">How many may wait.</param>
/// <param name="isUnasked">True for what belongs to no request: it goes over the connection, not over the stream of the request that the client was met with.</param>
/// <param name="time">Bounds each sending.</param>
internal sealed class OrderedSends(McpServer server, int capacity, bool isUnasked, TimeProvider time)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly AsyncLocal<bool> Unasked = new();

    private readonly Lock _gate = new();
    private Task _tail = Task.CompletedTask;
    private int _waiting;
    private volatile bool _broken;

    /// <summary>
    /// Takes from what belongs to no request the stream of one: the SDK gives no other way to a connection than through the server of a request, which may have
    /// ended long ago.
    /// </summary>
    public static McpMessageHandler FilterOutgoing(McpMessageHandler next) => (context, ct) =>
    {
        if (Unasked.Value && context.JsonRpcMessage.Context is { } message)
        {
            message.RelatedTransport = null;
        }

        return next(context, ct);
    };

    /// <summary>True once the client could not be reached: nothing more is sent.</summary>
    public bool IsBroken => _broken;

    /// <summary>Ends when all that was accepted so far is sent. Never fails.</summary>
    public Task Sent
    {
        get
        {
            lock (_gate)
            {
                return _tail;
            }
        }
    }

    /// <summary>Accepts a notification; false where too many wait or the client is gone.</summary>
    public bool TrySend(JsonRpcNotification notification)
    {
        lock (_gate)
        {
            if (_broken || _waiting >= capacity)
            {
                return false;
            }

            _waiting++;
            _tail = SendAsync(_tail, notification);
            return true;
        }
    }

    private async Task SendAsync(Task before, JsonRpcNotification notification)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            if (!_broken)
            {
                Unasked.Value = isUnasked;
                using var limit = new CancellationTokenSource(Limit, time);
                await server.SendMessageAsync(notification, limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            _broken = true; // the client has gone or takes nothing; its own requests learn of it by themselves
        }
        finally
        {
            lock (_gate)
            {
                _waiting--;
            }
        }
    }
}
