namespace Mcp.Guard;

/// <summary>Opens the audit files of a guard for reading.</summary>
public static class AuditFiles
{
    /// <summary>A reader over a directory of audit files. It reads what is there, also while a guard writes; it proves nothing: see <see cref="AuditVerifier"/>.</summary>
    /// <param name="directory">The audit directory.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static IAuditReader Open(string directory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        return new Audit.AuditFileReader(directory);
    }
}
