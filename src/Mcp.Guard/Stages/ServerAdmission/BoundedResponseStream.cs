namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// A read-only stream that ends with <see cref="ResponseLimitException"/> once more than a number of bytes came: in all, or, for an event
/// stream, since the last blank line.
/// </summary>
internal sealed class BoundedResponseStream(Stream inner, long limit, bool events) : Stream
{
    private long _count;
    private byte _previous;
    private bool _lineIsEmpty = true;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer) => Counted(buffer, inner.Read(buffer));

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        return Counted(buffer.Span, read);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Counted(ReadOnlySpan<byte> buffer, int read)
    {
        if (!events)
        {
            _count += read;
            if (_count > limit)
            {
                throw new ResponseLimitException(limit);
            }

            return read;
        }

        ReadOnlySpan<byte> rest = buffer[..read];
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOfAny((byte)'\n', (byte)'\r');
            if (end < 0)
            {
                Add(rest.Length);
                _lineIsEmpty = false;
                _previous = 0;
                break;
            }

            Add(end + 1);
            byte terminator = rest[end];
            rest = rest[(end + 1)..];

            // CR LF is one end of line (WHATWG HTML, section 9.2.5); its second half ends nothing.
            bool secondHalf = terminator == '\n' && _previous == '\r' && end == 0;
            if (!secondHalf)
            {
                bool blank = end == 0 && _lineIsEmpty;
                _count = blank ? 0 : _count;
                _lineIsEmpty = true;
            }

            _previous = terminator;
        }

        return read;
    }

    private void Add(int bytes)
    {
        _count += bytes;
        if (_count > limit)
        {
            throw new ResponseLimitException(limit);
        }
    }
}
