namespace Mcp.Guard;

/// <summary>How the audit files are kept.</summary>
public sealed class AuditFileOptions
{
    /// <summary>The shortest key accepted, in bytes.</summary>
    internal const int MinKeyBytes = 32;

    /// <summary>The folder of the log. It is made where it does not exist, for the current user only. One process at a time may hold it.</summary>
    public string Directory { get; set; } = string.Empty;

    /// <summary>What is promised before a call may leave.</summary>
    public AuditDurability Durability { get; set; } = AuditDurability.Flushed;

    /// <summary>A segment is closed when it is larger than this, in bytes: 64 KiB to 1 GiB, 32 MiB by default. It is also closed at the end of each UTC day.</summary>
    public long SegmentBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>How many days closed segments are kept: 1 or more, 30 by default. Less than 7 or more than 30 gives a warning.</summary>
    public int RetentionDays { get; set; } = 30;

    /// <summary>
    /// The key of the chain: 32 bytes or more. With it every record carries an HMAC-SHA-256, which nobody without the key can make again; without it a
    /// SHA-256, which finds damage and careless edits only.
    /// </summary>
    public ReadOnlyMemory<byte> ChainKey { get; set; }

    /// <summary>Gives <see cref="ChainKey"/> when the log is opened, for keys that a resolver of secrets holds; null where the key is given or there is none.</summary>
    internal Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>>? ResolveKey { get; set; }

    /// <summary>The key of the checkpoints: 32 bytes or more. The key of the chain is taken where this is empty.</summary>
    public ReadOnlyMemory<byte> CheckpointKey { get; set; }

    /// <summary>A file that holds the newest checkpoint, outside <see cref="Directory"/> and best on another machine; null for none.</summary>
    public string? CheckpointPath { get; set; }

    /// <summary>Receives every checkpoint; null for none.</summary>
    public IAuditCheckpointSink? CheckpointSink { get; set; }

    /// <summary>A checkpoint is made after so many records: 1 or more, 10,000 by default.</summary>
    public int CheckpointRecords { get; set; } = 10_000;

    /// <summary>A checkpoint is made after so long where there are new records: 1 second to 1 day, 1 minute by default.</summary>
    public TimeSpan CheckpointInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How many records may wait: 64 to 1,000,000, 16,384 by default. Records that a server can cause take at most half of the places, intents leave an
    /// eighth to the outcomes of calls that already ran.
    /// </summary>
    public int QueueCapacity { get; set; } = 16_384;

    /// <summary>How long a record may take to be written before its call is denied: 100 ms to 5 minutes, 5 seconds by default.</summary>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The largest recorded arguments or result, in bytes of JSON: 256 to 256 KiB, 16 KiB by default. A larger one is cut, with its length and digest.</summary>
    public int MaxContentBytes { get; set; } = 16 * 1024;

    /// <summary>Every fault of the values, each with what fixes it; empty where they can be used.</summary>
    internal List<string> Faults()
    {
        var faults = new List<string>();
        if (string.IsNullOrWhiteSpace(Directory))
        {
            faults.Add("audit.directory is empty; name a folder that only the host can write");
        }

        if (Durability is < AuditDurability.Flushed or > AuditDurability.BestEffort)
        {
            faults.Add("audit.durability must be flushed, durable or bestEffort");
        }

        Check(faults, "segmentBytes", SegmentBytes, 64 * 1024, 1024L * 1024 * 1024);
        Check(faults, "retentionDays", RetentionDays, 1, 36_500);
        Check(faults, "checkpointRecords", CheckpointRecords, 1, int.MaxValue);
        Check(faults, "queueCapacity", QueueCapacity, 64, 1_000_000);
        Check(faults, "maxContentBytes", MaxContentBytes, 256, 256 * 1024);
        Check(faults, "checkpointInterval (ms)", (long)CheckpointInterval.TotalMilliseconds, 1_000, 86_400_000);
        Check(faults, "writeTimeout (ms)", (long)WriteTimeout.TotalMilliseconds, 100, 300_000);
        if (ChainKey.Length is > 0 and < MinKeyBytes)
        {
            faults.Add($"audit.chainKey has {ChainKey.Length} bytes; give {MinKeyBytes} or more");
        }

        if (CheckpointKey.Length is > 0 and < MinKeyBytes)
        {
            faults.Add($"audit.checkpointKey has {CheckpointKey.Length} bytes; give {MinKeyBytes} or more");
        }

        if (faults.Count == 0 && CheckpointPath is not null && IsInside(CheckpointPath, Directory))
        {
            faults.Add("audit.checkpointPath lies in audit.directory, where who changes the log changes the checkpoint too; name another place");
        }

        return faults;
    }

    /// <summary>What is allowed and unusual.</summary>
    internal List<string> Warnings()
    {
        var warnings = new List<string>();
        if (RetentionDays is < 7 or > 30)
        {
            warnings.Add($"audit.retentionDays is {RetentionDays}; 7 to 30 days are usual");
        }

        if (Durability == AuditDurability.BestEffort)
        {
            warnings.Add("audit.durability is bestEffort: calls are made even where their records are lost");
        }

        return warnings;
    }

    private static bool IsInside(string path, string directory)
    {
        string folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)) + Path.DirectorySeparatorChar;
        return Path.GetFullPath(path).StartsWith(folder, StringComparison.Ordinal);
    }

    private static void Check(List<string> faults, string name, long value, long least, long most)
    {
        if (value < least || value > most)
        {
            faults.Add($"audit.{name} is {value}; it must be {least} to {most}");
        }
    }
}
