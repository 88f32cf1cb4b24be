namespace Mcp.Guard.Audit;

/// <summary>When a segment's time is over, and what its deletion leaves on record.</summary>
internal static class AuditRetention
{
    public static bool IsExpired(string segment, int retentionDays, DateOnly today) =>
        AuditSegmentName.TryParse(segment, out AuditSegmentName name) && name.Day.DayNumber + 1L + retentionDays <= today.DayNumber;

    /// <summary>Notes that a segment is being deleted: its range, and the hash that the rest of the log follows.</summary>
    public static AuditLogNote Announcement(IAuditStorage storage, string directory, string name, string next)
    {
        (long first, _) = AuditRecovery.ReadBeginning(storage, Path.Combine(directory, name));
        (long after, string? lastHash) = AuditRecovery.ReadBeginning(storage, Path.Combine(directory, next));
        return AuditLogNote.Make(AuditLogEvent.Retention, detail =>
        {
            detail.WriteString("segment", name);
            detail.WriteNumber("firstSequence", first);
            detail.WriteNumber("lastSequence", after - 1);
            detail.WriteString("lastHash", lastHash);
        });
    }
}
