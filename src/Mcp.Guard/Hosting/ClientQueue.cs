using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>
/// What was judged and waits for the host's client. Replies and requests of the server are as many as the calls and questions that are open; notifications
/// are bounded here, by number and by bytes, so that a server cannot fill the memory of a host that is slow to take them.
/// </summary>
internal sealed class ClientQueue : ChannelReader<JsonRpcMessage>
{
    /// <summary>Notifications that may wait.</summary>
    public const int MaxNotifications = 1024;

    /// <summary>Bytes of JSON text that waiting notifications may have.</summary>
    public const int MaxNotificationBytes = 4 * 1024 * 1024;

    private readonly Channel<(JsonRpcMessage Message, int NotificationBytes)> _channel =
        Channel.CreateUnbounded<(JsonRpcMessage, int)>(new UnboundedChannelOptions { SingleReader = true });

    private int _waiting;
    private long _bytes;

    /// <summary>Takes replies that somebody beside the client waits for; false for those of the client. Must not fail.</summary>
    public Func<JsonRpcMessage, bool>? Taken { get; set; }

    public override Task Completion => _channel.Reader.Completion;

    public void Write(JsonRpcMessage message)
    {
        if (Taken?.Invoke(message) != true)
        {
            _channel.Writer.TryWrite((message, -1));
        }
    }

    /// <summary>False where too much waits already: the notification is dropped.</summary>
    public bool TryWriteNotification(JsonRpcNotification notification, int bytes)
    {
        int waiting = Interlocked.Increment(ref _waiting);
        long before = Interlocked.Add(ref _bytes, bytes) - bytes;
        if (waiting > MaxNotifications || before > MaxNotificationBytes)
        {
            Leave(bytes);
            return false;
        }

        return _channel.Writer.TryWrite((notification, bytes));
    }

    public bool TryComplete(Exception? error) => _channel.Writer.TryComplete(error);

    public override bool TryRead([MaybeNullWhen(false)] out JsonRpcMessage item)
    {
        bool read = _channel.Reader.TryRead(out var entry);
        item = entry.Message;
        if (read && entry.NotificationBytes >= 0)
        {
            Leave(entry.NotificationBytes);
        }

        return read;
    }

    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => _channel.Reader.WaitToReadAsync(cancellationToken);

    private void Leave(int bytes)
    {
        Interlocked.Decrement(ref _waiting);
        Interlocked.Add(ref _bytes, -bytes);
    }
}
