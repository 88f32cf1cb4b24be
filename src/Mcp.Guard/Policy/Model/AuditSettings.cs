namespace Mcp.Guard.Policy;

/// <summary>Where the audit goes and what it keeps.</summary>
internal sealed record AuditSettings
{
    /// <summary>Absolute; null where the policy names none, and the guard's own folder in <see cref="PolicySnapshot.StateDirectory"/> is used.</summary>
    public string? Directory { get; init; }

    /// <summary>1 or more. Default 30.</summary>
    public int RetentionDays { get; init; } = 30;

    /// <summary>Default redacted.</summary>
    public ContentRecording Arguments { get; init; } = ContentRecording.Redacted;

    /// <summary>Default redacted.</summary>
    public ContentRecording Results { get; init; } = ContentRecording.Redacted;

    /// <summary>Default flushed.</summary>
    public AuditDurability Durability { get; init; } = AuditDurability.Flushed;

    /// <summary>Name of the secret that keys the chain of records; null is a chain of plain hashes.</summary>
    public string? KeySecret { get; init; }

    /// <summary>Absolute file for checkpoints; null is the guard's own.</summary>
    public string? CheckpointFile { get; init; }
}
