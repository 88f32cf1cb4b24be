namespace Mcp.Guard;

/// <summary>The pins of one server, with a version for compare-and-set.</summary>
public sealed class PinnedCatalog
{
    /// <summary>What the store knows; <see cref="PinnedCatalogStatus.Unavailable"/> for an uninitialised value.</summary>
    public PinnedCatalogStatus Status { get; init; }

    /// <summary>The version of this content; 0 before the first write.</summary>
    public long Version { get; init; }

    /// <summary>The fingerprint of the server's <c>instructions</c>; null where it has none.</summary>
    public string? InstructionsFingerprint { get; init; }

    /// <summary>The pins by exact tool name (ordinal).</summary>
    public IReadOnlyDictionary<string, ToolPin> Tools { get; init; } = new Dictionary<string, ToolPin>(StringComparer.Ordinal);
}
