using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>Reads the segments in a folder, one line at a time. Lines that are no records are left out and counted.</summary>
internal sealed class AuditFileReader(string directory, IAuditStorage storage) : IAuditReader
{
    public AuditFileReader(string directory)
        : this(directory, DiskAuditStorage.Instance)
    {
    }

    /// <summary>Lines of the last reading that are no records.</summary>
    public long Unreadable { get; private set; }

    public async IAsyncEnumerable<AuditEntry> ReadAsync(AuditQuery query, [EnumeratorCancellation] CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        Unreadable = 0;
        long found = 0;
        foreach (string segment in AuditSegments.Ordered(storage.List(directory)))
        {
            if (found >= query.Limit)
            {
                yield break;
            }

            if (!MayHold(segment, query))
            {
                continue;
            }

            // The reads below do not wait for anybody; a long reading gives the thread back between segments.
            await Task.Yield();
            using Stream stream = storage.OpenRead(Path.Combine(directory, segment));
            var lines = new AuditLineReader(stream);
            while (found < query.Limit)
            {
                ct.ThrowIfCancellationRequested();
                AuditLineStatus status = ReadNext(lines, segment, query, out AuditEntry? entry);
                if (entry is not null)
                {
                    found++;
                    yield return entry;
                }

                if (status != AuditLineStatus.Line)
                {
                    break;
                }
            }
        }
    }

    private AuditLineStatus ReadNext(AuditLineReader lines, string segment, AuditQuery query, out AuditEntry? entry)
    {
        entry = null;
        AuditLineStatus status = lines.Read(out ReadOnlySpan<byte> bytes);
        if (status == AuditLineStatus.End)
        {
            return status;
        }

        if (status != AuditLineStatus.Line || !TrySelect(bytes, segment, query, out entry))
        {
            Unreadable++;
        }

        return status;
    }

    /// <summary>Reads a line; the entry is null where the query does not select it. False for a line that is no record.</summary>
    public static bool TrySelect(ReadOnlySpan<byte> bytes, string segment, AuditQuery query, out AuditEntry? entry)
    {
        entry = null;
        if (!AuditLine.TryRead(bytes, out AuditLine line, out _))
        {
            return false;
        }

        if (line.Sequence >= query.FromSequence
            && (query.Kind is null || query.Kind == line.Kind)
            && (query.From is null || line.TimeTicks >= query.From.Value.UtcTicks)
            && (query.To is null || line.TimeTicks < query.To.Value.UtcTicks))
        {
            var reader = new Utf8JsonReader(bytes);
            var candidate = new AuditEntry(segment, line.Sequence, JsonElement.ParseValue(ref reader));
            entry = Matches(candidate, query) ? candidate : null;
        }

        return true;
    }

    /// <summary>The day in a segment's name is the day of its first record at the latest, by the log's clock; a day on either side allows for the records' own.</summary>
    internal static bool MayHold(string segment, AuditQuery query) =>
        !AuditSegmentName.TryParse(segment, out AuditSegmentName name)
        || ((query.From is null || name.Day.DayNumber + 1 >= DateOnly.FromDateTime(query.From.Value.UtcDateTime).DayNumber)
            && (query.To is null || name.Day.DayNumber - 1 <= DateOnly.FromDateTime(query.To.Value.UtcDateTime).DayNumber));

    public static bool Matches(AuditEntry entry, AuditQuery query) =>
        Is(entry, "user", query.UserId)
        && Is(entry, "session", query.SessionId)
        && Is(entry, "server", query.Server)
        && Is(entry, "target", query.Target)
        && Is(entry, "decision", query.Decision)
        && Is(entry, "code", query.Code)
        && Is(entry, "id", query.DecisionId);

    private static bool Is(AuditEntry entry, string name, string? wanted) =>
        wanted is null || string.Equals(entry.Text(name), wanted, StringComparison.Ordinal);
}
