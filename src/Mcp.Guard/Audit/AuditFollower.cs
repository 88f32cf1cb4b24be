using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>
/// Reads a log as it grows: each reading gives the whole lines that have come since the one before, through the changes of segments. It holds a position and
/// no records. Used by one thread.
/// </summary>
internal sealed class AuditFollower(string directory, IAuditStorage storage)
{
    /// <summary>Ends of lines that are remembered, to find back where a failed write was undone.</summary>
    private const int MaxRemembered = 1_024;

    private readonly Queue<long> _ends = new();
    private string? _segment;
    private long _offset;

    /// <summary>Lines that are no records.</summary>
    public long Unreadable { get; private set; }

    /// <summary>The selected records that have come, oldest first.</summary>
    /// <param name="query">What to select; its limit is not looked at.</param>
    /// <param name="ct">Ends the reading.</param>
    public IEnumerable<AuditEntry> Read(AuditQuery query, CancellationToken ct)
    {
        List<string> segments = AuditSegments.Ordered(storage.List(directory));
        int at = _segment is null ? 0 : segments.FindIndex(name => string.CompareOrdinal(name, _segment) >= 0);
        for (; at >= 0 && at < segments.Count; at++)
        {
            if (at + 1 < segments.Count && !AuditFileReader.MayHold(segments[at], query))
            {
                continue;
            }

            if (!string.Equals(segments[at], _segment, StringComparison.Ordinal))
            {
                // The one before has its last line: the log finishes a segment before it begins another.
                _segment = segments[at];
                _offset = 0;
                _ends.Clear();
            }

            foreach (AuditEntry entry in ReadSegment(segments[at], query, ct))
            {
                yield return entry;
            }
        }
    }

    private IEnumerable<AuditEntry> ReadSegment(string segment, AuditQuery query, CancellationToken ct)
    {
        Stream stream;
        try
        {
            stream = storage.OpenRead(Path.Combine(directory, segment));
        }
        catch (FileNotFoundException)
        {
            yield break; // retention was faster
        }

        using (stream)
        {
            GoBackTo(stream.Length);
            stream.Seek(_offset, SeekOrigin.Begin);
            long begin = _offset;
            var lines = new AuditLineReader(stream);
            while (true)
            {
                ct.ThrowIfCancellationRequested();
                AuditLineStatus status = ReadNext(lines, segment, query, out AuditEntry? entry);
                if (status != AuditLineStatus.Line)
                {
                    yield break; // what follows is no whole line yet
                }

                Remember(begin + lines.Offset);
                if (entry is not null)
                {
                    yield return entry;
                }
            }
        }
    }

    private AuditLineStatus ReadNext(AuditLineReader lines, string segment, AuditQuery query, out AuditEntry? entry)
    {
        entry = null;
        AuditLineStatus status = lines.Read(out ReadOnlySpan<byte> bytes);
        if (status != AuditLineStatus.Line)
        {
            return status;
        }

        if (!AuditFileReader.TrySelect(bytes, segment, query, out entry))
        {
            Unreadable++;
        }

        return status;
    }

    private void Remember(long end)
    {
        _offset = end;
        if (_ends.Count == MaxRemembered)
        {
            _ends.Dequeue();
        }

        _ends.Enqueue(end);
    }

    /// <summary>After a failed write the log cuts what it wrote: records that were shown from there never were.</summary>
    private void GoBackTo(long length)
    {
        if (_offset <= length)
        {
            return;
        }

        _offset = 0;
        foreach (long end in _ends)
        {
            _offset = end <= length ? end : _offset;
        }
    }
}
