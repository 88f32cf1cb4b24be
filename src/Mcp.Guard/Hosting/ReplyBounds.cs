using Mcp.Guard.Stages.ResultLimit;

namespace Mcp.Guard.Hosting;

/// <summary>
/// Remembers that a message of the server was cut off below the SDK, which tells its caller only that no reply came. Over Streamable HTTP each call reads its
/// own response, in its own flow of control; over standard output and legacy SSE all share one stream, and with it ends the connection.
/// </summary>
internal sealed class ReplyBounds(bool perRequest)
{
    private static readonly AsyncLocal<Mark?> Reading = new();

    private volatile bool _connectionExceeded;

    /// <summary>Whether each request has a response stream of its own.</summary>
    public bool PerRequest => perRequest;

    /// <summary>True once the stream of the whole connection was cut off.</summary>
    public bool ConnectionExceeded => _connectionExceeded;

    /// <summary>Begins the flow of control that sends one request and may read its response.</summary>
    public static Mark Begin() => Reading.Value = new Mark();

    /// <summary>A limit was passed in the current flow of control.</summary>
    public void Report(MessageTooLargeException fault)
    {
        if (Reading.Value is { } mark)
        {
            mark.IsSet = true;
        }
        else
        {
            _connectionExceeded = true;
        }
    }

    /// <summary>Whether the response to one request was cut off.</summary>
    internal sealed class Mark
    {
        private volatile bool _isSet;

        public bool IsSet
        {
            get => _isSet;
            set => _isSet = value;
        }
    }
}
