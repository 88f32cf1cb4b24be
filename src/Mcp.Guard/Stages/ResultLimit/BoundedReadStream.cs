namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>
/// A read-only stream that counts bytes before the reader can buffer them. Once a limit is passed, nothing of the offending message that was not yet
/// delivered is delivered, and every later read fails: the connection cannot go on with half a message.
/// </summary>
internal abstract class BoundedReadStream(Stream inner, Action<MessageTooLargeException>? exceeded) : Stream
{
    private MessageTooLargeException? _fault;

    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw new NotSupportedException();

    public sealed override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public sealed override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public sealed override int Read(Span<byte> buffer)
    {
        ThrowIfExceeded();
        int read = inner.Read(buffer);
        return Deliver(buffer[..read]);
    }

    public sealed override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfExceeded();
        int read = await inner.ReadAsync(buffer, cancellationToken);
        return Deliver(buffer.Span[..read]);
    }

    public sealed override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public sealed override void Flush()
    {
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public sealed override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }

    /// <summary>Counts what arrived.</summary>
    /// <returns>How many of the bytes may be delivered; fewer than all means that the limit is passed.</returns>
    protected abstract int Admit(ReadOnlySpan<byte> arrived);

    /// <summary>The fault to raise once <see cref="Admit"/> admitted fewer bytes than arrived.</summary>
    protected abstract MessageTooLargeException Exceeded();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

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
