namespace Mcp.Guard.Audit;

/// <summary>From when on records that others cause in any number are counted together.</summary>
internal sealed class AuditFloodOptions
{
    /// <summary>How long a count runs: 10 seconds by default. A count that is not written yet is lost when the process is killed.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many records of one server and caller are written singly in a window.</summary>
    public int Quota { get; init; } = 100;

    /// <summary>The same for tools that a server lists: an honest server may have so many, and each is recorded once.</summary>
    public int CatalogQuota { get; init; } = 512;

    /// <summary>How many different events of one server and caller are counted apart in a window; the others share one count.</summary>
    public int DistinctEvents { get; init; } = 16;

    /// <summary>How many pairs of server and caller are held; the others share one.</summary>
    public int Sources { get; init; } = 4_096;

    /// <summary>A connection over which a server sends so many refused messages in a window is ended.</summary>
    public int RefusedBeforeDisconnect { get; init; } = 5_000;

    /// <summary>A connection over which a server sends so many notifications in a window is ended, though each was let through, or dropped only because they came too fast.</summary>
    public int DeliveredBeforeDisconnect { get; init; } = 50_000;
}
