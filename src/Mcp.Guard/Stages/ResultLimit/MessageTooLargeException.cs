namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>A server sent a single message with more bytes than permitted. An <see cref="IOException"/>, so that every reader ends its connection.</summary>
internal sealed class MessageTooLargeException : IOException
{
    public MessageTooLargeException(string what, long maxBytes)
        : base($"the server sent {what} of more than {maxBytes} bytes; the connection is closed")
    {
        MaxBytes = maxBytes;
    }

    /// <summary>The limit that was passed.</summary>
    public long MaxBytes { get; }
}
