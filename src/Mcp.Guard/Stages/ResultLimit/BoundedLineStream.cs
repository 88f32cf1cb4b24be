using System.Buffers;

namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>
/// The standard output of a server process, one message a line (MCP, stdio transport): fails once a single line is longer than permitted. A line is held
/// here until it is whole, and nothing of a longer one is passed on: the reader would keep it in text of several times its size, while it waits for the end.
/// </summary>
/// <param name="inner">The standard output.</param>
/// <param name="maxLineBytes">The longest line in bytes, its line feed not counted.</param>
/// <param name="exceeded">Told once, on the reader's thread, when the limit is passed; must not throw.</param>
internal sealed class BoundedLineStream(Stream inner, long maxLineBytes, Action<MessageTooLargeException>? exceeded = null)
    : InboundStream(inner)
{
    private const int ChunkBytes = 64 * 1024;

    /// <summary>What is held, in the order of its arrival: whole lines, then the beginning of one. All chunks but the last are full.</summary>
    private readonly Queue<byte[]> _chunks = new();

    private byte[] _last = [];
    private int _start;
    private int _end;
    private long _whole;
    private long _line;
    private bool _ended;
    private MessageTooLargeException? _fault;

    public override int Read(Span<byte> buffer)
    {
        while (!IsReady(buffer.Length))
        {
            Arrive(Inner.Read(Free().Span));
        }

        return Take(buffer);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!IsReady(buffer.Length))
        {
            Arrive(await Inner.ReadAsync(Free(), cancellationToken).ConfigureAwait(false));
        }

        return Take(buffer.Span);
    }

    /// <summary>Whether a read can be answered without the server.</summary>
    private bool IsReady(int wanted)
    {
        if (_whole > 0 || wanted == 0)
        {
            return true;
        }

        return _fault is null ? _ended : throw _fault;
    }

    private Memory<byte> Free()
    {
        if (_chunks.Count == 0 || _end == ChunkBytes)
        {
            _last = ArrayPool<byte>.Shared.Rent(ChunkBytes);
            _chunks.Enqueue(_last);
            _end = 0;
        }

        return _last.AsMemory(_end, ChunkBytes - _end);
    }

    private void Arrive(int count)
    {
        if (count == 0)
        {
            // The last line may lack its line feed.
            _ended = true;
            _whole += _line;
            _line = 0;
            return;
        }

        ReadOnlySpan<byte> arrived = _last.AsSpan(_end, count);
        _end += count;
        while (true)
        {
            int length = arrived.IndexOf((byte)'\n');
            _line += length < 0 ? arrived.Length : length;
            if (_line > maxLineBytes)
            {
                _fault = new MessageTooLargeException("a line", maxLineBytes);
                Forget();
                exceeded?.Invoke(_fault);
                return;
            }

            if (length < 0)
            {
                return;
            }

            _whole += _line + 1;
            _line = 0;
            arrived = arrived[(length + 1)..];
        }
    }

    private int Take(Span<byte> buffer)
    {
        int taken = 0;
        while (taken < buffer.Length && _whole > 0)
        {
            byte[] first = _chunks.Peek();
            int held = (_chunks.Count == 1 ? _end : ChunkBytes) - _start;
            int count = (int)Math.Min(Math.Min(held, _whole), buffer.Length - taken);
            first.AsSpan(_start, count).CopyTo(buffer[taken..]);
            taken += count;
            _start += count;
            _whole -= count;
            if (count == held)
            {
                _start = 0;
                if (_chunks.Count == 1)
                {
                    _end = 0; // kept for what comes next
                }
                else
                {
                    ArrayPool<byte>.Shared.Return(_chunks.Dequeue());
                }
            }
        }

        return taken;
    }

    /// <summary>Whole messages before the offending one still count; what is held of that one leaves, and no more is read.</summary>
    private void Forget()
    {
        long kept = -_start;
        for (int i = _chunks.Count; i > 0; i--)
        {
            byte[] chunk = _chunks.Dequeue();
            if (kept < _whole)
            {
                _chunks.Enqueue(chunk);
            }
            else
            {
                ArrayPool<byte>.Shared.Return(chunk);
            }

            kept += ChunkBytes;
        }

        _end = ChunkBytes;
    }
}
