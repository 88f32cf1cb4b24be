namespace Mcp.Guard;

/// <summary>All stops in force at one moment, with a version that orders moments: of two snapshots the one with the higher version is newer.</summary>
/// <remarks>
/// Reads may overtake one another on the way from a shared store. Without an order an older list could end a stop that a newer one had shown.
/// </remarks>
public sealed class HaltSnapshot
{
    /// <summary>Makes a snapshot.</summary>
    /// <param name="version">Higher than that of every earlier moment whose stops were other ones; equal versions mean equal stops. 0 or more.</param>
    /// <param name="halts">The stops. Must not change afterwards.</param>
    /// <exception cref="ArgumentNullException"><paramref name="halts"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="version"/> is negative.</exception>
    public HaltSnapshot(long version, IReadOnlyList<Halt> halts)
    {
        ArgumentNullException.ThrowIfNull(halts);
        ArgumentOutOfRangeException.ThrowIfNegative(version);
        Version = version;
        Halts = halts;
    }

    /// <summary>Orders snapshots of one store as one host sees it. Hosts need not agree on it.</summary>
    public long Version { get; }

    /// <summary>The stops.</summary>
    public IReadOnlyList<Halt> Halts { get; }
}
