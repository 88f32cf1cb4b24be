namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>
/// Counts bytes before the reader can buffer them. Once a limit is passed, nothing of the offending message that was not yet delivered is delivered, and
/// every later read fails: the connection cannot go on with half a message.
/// </summary>
internal abstract class BoundedReadStream(Stream inner, Action<MessageTooLargeException>? exceeded) : InboundStream(inner)
{
    private MessageTooLargeException? _fault;

    public sealed override int Read(Span<byte> buffer)
    {
        ThrowIfExceeded();
        int read = Inner.Read(buffer);
        return Deliver(buffer[..read]);
    }

    public sealed override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfExceeded();
        int read = await Inner.ReadAsync(buffer, cancellationToken);
        return Deliver(buffer.Span[..read]);
    }

    /// <summary>Counts what arrived.</summary>
    /// <returns>How many of the bytes may be delivered; fewer than all means that the limit is passed.</returns>
    protected abstract int Admit(ReadOnlySpan<byte> arrived);

    /// <summary>The fault to raise once <see cref="Admit"/> admitted fewer bytes than arrived.</summary>
    protected abstract MessageTooLargeException Exceeded();

    private int Deliver(Span<byte> arrived)
    {
        int admitted = Admit(arrived);
        if (admitted == arrived.Length)
        {
            return admitted;
        }

        arrived[admitted..].Clear();
        _fault = Exceeded();
        exceeded?.Invoke(_fault);

        // Whole messages before the offending one still count; the next read fails.
        return admitted > 0 ? admitted : throw _fault;
    }

    private void ThrowIfExceeded()
    {
        if (_fault is not null)
        {
            throw _fault;
        }
    }
}
