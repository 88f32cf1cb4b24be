using Mcp.Guard;

namespace GuardedHost;

/// <summary>Shows the audit of the run from its files, and whether its chain is whole.</summary>
internal static class AuditView
{
    public static async Task<bool> ShowAsync(string directory, Screen screen)
    {
        screen.Title("The audit, read back from " + directory);
        await foreach (AuditEntry entry in AuditFiles.Open(directory).ReadAsync(new AuditQuery()))
        {
            AuditRecord record = entry.ToRecord();
            string who = record.UserId is null ? string.Empty : $"{record.UserId}/{record.SessionId}";
            screen.Note($"{entry.Sequence,3} {record.Kind,-13} {record.Decision,-9} {record.Code,-20} {record.Target ?? record.Server,-16} {(who.Length > 24 ? who[..24] : who)}");
        }

        AuditVerification verification = AuditVerifier.Verify(directory);
        if (verification.Verdict == AuditVerdict.Valid)
        {
            screen.Allowed($"chain verified: {verification.Records} records, head {verification.Head?[..16]}");
            return true;
        }

        screen.Denied($"chain broken: {verification.Message}");
        return false;
    }
}
