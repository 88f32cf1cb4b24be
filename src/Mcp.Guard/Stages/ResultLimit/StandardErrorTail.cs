using System.Text;

namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>
/// Reads a server's standard error to its end, so that the server never blocks on it, and keeps only the last bytes. The text comes from the server: it is
/// sanitised before anyone sees it.
/// </summary>
internal sealed class StandardErrorTail
{
    /// <summary>The default number of bytes kept.</summary>
    public const int DefaultBytes = 16 * 1024;

    private readonly Lock _lock = new();
    private readonly byte[] _ring;
    private long _total;

    public StandardErrorTail(int bytes = DefaultBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        _ring = new byte[bytes];
    }

    /// <summary>How many bytes the server wrote in all.</summary>
    public long TotalBytes
    {
        get
        {
            lock (_lock)
            {
                return _total;
            }
        }
    }

    /// <summary>Reads until the stream ends, fails or the token is cancelled; never throws.</summary>
    public async Task ReadToEndAsync(Stream standardError, CancellationToken ct)
    {
        byte[] buffer = new byte[4096];
        try
        {
            int read;
            while ((read = await standardError.ReadAsync(buffer, ct)) > 0)
            {
                Keep(buffer.AsSpan(0, read));
            }
        }
        catch (Exception)
        {
            // The process ended or the guard gave up on it; what arrived is kept.
        }
    }

    /// <summary>The last bytes as text: invalid UTF-8 is replaced, and a character that was cut at the front is left out.</summary>
    public string Text()
    {
        lock (_lock)
        {
            int length = (int)Math.Min(_total, _ring.Length);
            byte[] tail = new byte[length];
            int start = (int)((_total - length) % _ring.Length);
            int first = Math.Min(length, _ring.Length - start);
            _ring.AsSpan(start, first).CopyTo(tail);
            _ring.AsSpan(0, length - first).CopyTo(tail.AsSpan(first));
            int skip = 0;
            while (_total > _ring.Length && skip < Math.Min(3, length) && (tail[skip] & 0xC0) == 0x80)
            {
                skip++;
            }

            return Encoding.UTF8.GetString(tail, skip, length - skip);
        }
    }

    private void Keep(ReadOnlySpan<byte> arrived)
    {
        lock (_lock)
        {
            _total += arrived.Length;
            ReadOnlySpan<byte> last = arrived.Length > _ring.Length ? arrived[^_ring.Length..] : arrived;
            int start = (int)((_total - last.Length) % _ring.Length);
            int first = Math.Min(last.Length, _ring.Length - start);
            last[..first].CopyTo(_ring.AsSpan(start));
            last[first..].CopyTo(_ring);
        }
    }
}
