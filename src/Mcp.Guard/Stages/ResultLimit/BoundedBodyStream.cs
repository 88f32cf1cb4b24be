namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>The body of an HTTP response that is one message: fails once it is longer than permitted.</summary>
internal sealed class BoundedBodyStream(Stream inner, long maxBytes, Action<MessageTooLargeException>? exceeded = null)
    : BoundedReadStream(inner, exceeded)
{
    private long _read;

    protected override int Admit(ReadOnlySpan<byte> arrived)
    {
        _read += arrived.Length;
        return _read > maxBytes ? 0 : arrived.Length;
    }

    protected override MessageTooLargeException Exceeded() => new("a response body", maxBytes);
}
