namespace Mcp.Guard.Hosting;

/// <summary>
/// What a server reads, one write a message: the SDK writes a line and its line feed apart, and each write wakes the reader. What is written is held until it is
/// flushed.
/// </summary>
internal sealed class LineWriteStream(Stream inner) : Stream
{
    private const int MaxKept = 64 * 1024;

    private byte[] _held = new byte[4096];
    private int _count;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_held.Length - _count < buffer.Length)
        {
            Array.Resize(ref _held, Math.Max(checked(_count + buffer.Length), (int)Math.Min(Array.MaxLength, 2L * _held.Length)));
        }

        buffer.CopyTo(_held.AsSpan(_count));
        _count += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            // Nothing of this message has left: without its end it would run into the next one, which may be somebody else's.
            _ = Take();
            return ValueTask.FromCanceled(cancellationToken);
        }

        Write(buffer.Span);
        return default;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
        ReadOnlyMemory<byte> held = Take();
        inner.Write(held.Span);
        inner.Flush();
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        // Whoever gives up in the middle leaves half a line, as without this stream; what was not begun is not kept for the next message.
        ReadOnlyMemory<byte> held = Take();
        await inner.WriteAsync(held, cancellationToken).ConfigureAwait(false);
        await inner.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private ReadOnlyMemory<byte> Take()
    {
        ReadOnlyMemory<byte> held = _held.AsMemory(0, _count);
        _count = 0;
        if (_held.Length > MaxKept)
        {
            _held = new byte[4096];
        }

        return held;
    }
}
