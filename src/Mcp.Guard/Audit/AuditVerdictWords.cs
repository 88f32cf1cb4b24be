namespace Mcp.Guard.Audit;

/// <summary>What the words of a record's decision mean, for readers of the log.</summary>
internal static class AuditVerdictWords
{
    /// <summary>True where the guard or a person refused, stopped or kept back what the record is about.</summary>
    public static bool IsRefusal(AuditEntry entry) => entry.Kind switch
    {
        AuditKind.Denial => true,
        AuditKind.Consent => entry.Text("decision") is not ("asked" or "allow") and { } answer && !answer.StartsWith("allow", StringComparison.Ordinal),
        AuditKind.Outcome => entry.Text("decision") is "deny" or "timeout" or "halted" or "aborted" or "cancelled",
        _ => entry.Text("decision") is "deny" or "drop" or "end" or "refuse" or "several",
    };

    /// <summary>True where what the record is about went its way.</summary>
    public static bool IsPassed(AuditEntry entry) => entry.Kind switch
    {
        AuditKind.Intent => true,
        AuditKind.Consent => entry.Text("decision") is { } answer && answer.StartsWith("allow", StringComparison.Ordinal),
        AuditKind.Outcome => entry.Text("decision") is "delivered" or "changed" or "error" or "input-required",
        _ => false,
    };
}
