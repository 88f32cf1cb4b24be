namespace Mcp.Guard.Audit;

/// <summary>Cuts a stream into lines that end at a line feed only, with a fixed limit of memory whatever the stream holds.</summary>
internal sealed class AuditLineReader(Stream stream)
{
    /// <summary>The longest line that the log writes is well below this.</summary>
    public const int MaxLineBytes = 1024 * 1024;

    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>Where the next line begins in the stream.</summary>
    public long Offset { get; private set; }

    /// <summary>
    /// The next line without its line feed; it stays valid until the next call. With <see cref="AuditLineStatus.Partial"/> the line is what follows the
    /// last line feed.
    /// </summary>
    public AuditLineStatus Read(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                int length = searched + found;
                line = _buffer.AsSpan(_start, length);
                _start += length + 1;
                Offset += length + 1;
                return AuditLineStatus.Line;
            }

            searched = _end - _start;
            if (_ended || searched >= MaxLineBytes)
            {
                line = _buffer.AsSpan(_start, searched);
                return searched == 0 ? AuditLineStatus.End : _ended ? AuditLineStatus.Partial : AuditLineStatus.TooLong;
            }

            Fill();
        }
    }

    /// <summary>True where nothing but NUL bytes follows from here: what some file systems leave of a write that a loss of power cut.</summary>
    public bool OnlyNulsFollow(CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            if (_buffer.AsSpan(_start, _end - _start).ContainsAnyExcept((byte)0))
            {
                return false;
            }

            _start = _end = 0;
            if (_ended)
            {
                return true;
            }

            Fill();
        }
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, int.Min(_buffer.Length * 4, MaxLineBytes + 64 * 1024));
        }

        int read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _ended = read <= 0;
        _end += int.Max(read, 0);
    }
}
