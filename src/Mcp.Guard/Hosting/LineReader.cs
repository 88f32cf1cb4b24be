using Mcp.Guard.Stages.ResultLimit;

namespace Mcp.Guard.Hosting;

/// <summary>Reads a stream line by line with reads that block. Lines end at a line feed only; the last may lack it, and a byte order mark before the first is left out.</summary>
/// <param name="input">What is read.</param>
/// <param name="maxLineBytes">The longest line, its line feed not counted.</param>
internal sealed class LineReader(Stream input, int maxLineBytes)
{
    private const int MinBuffer = 64 * 1024;

    private byte[] _buffer = new byte[MinBuffer];
    private int _start;
    private int _end;
    private int _searched; // of what is held, from its start: it has no line feed
    private bool _begun;

    /// <summary>Waits for a line, which stays as it is until the next one is read. False where the stream has ended.</summary>
    /// <exception cref="MessageTooLargeException">The line is longer than permitted.</exception>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        while (true)
        {
            ReadOnlySpan<byte> held = _buffer.AsSpan(_start, _end - _start);
            int length = held[_searched..].IndexOf((byte)'\n');
            length = length < 0 ? -1 : length + _searched;
            if ((length < 0 ? held.Length : length) > maxLineBytes)
            {
                throw new MessageTooLargeException("a line", maxLineBytes);
            }

            if (length >= 0)
            {
                _start += length + 1;
                _searched = 0;
                line = Begin(held[..length]);
                return true;
            }

            _searched = held.Length;
            MakeRoom();
            int count = input.Read(_buffer.AsSpan(_end));
            if (count <= 0)
            {
                line = Begin(_buffer.AsSpan(_start, _end - _start));
                bool isLast = _end > _start;
                _start = _end;
                _searched = 0;
                return isLast;
            }

            _end += count;
        }
    }

    private ReadOnlySpan<byte> Begin(ReadOnlySpan<byte> line)
    {
        bool isFirst = !_begun;
        _begun = true;
        return isFirst && line.StartsWith("\uFEFF"u8) ? line[3..] : line;
    }

    private void MakeRoom()
    {
        if (_start == _end)
        {
            _start = _end = 0;
            if (_buffer.Length > MinBuffer)
            {
                _buffer = new byte[MinBuffer];
            }
        }
        else if (_end == _buffer.Length)
        {
            byte[] room = _start > _buffer.Length / 2 ? _buffer : new byte[Math.Min((long)_buffer.Length * 2, (long)maxLineBytes + MinBuffer)];
            _buffer.AsSpan(_start, _end - _start).CopyTo(room);
            _end -= _start;
            _start = 0;
            _buffer = room;
        }
    }
}
