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

    /// <summary>
    /// True once the tools of the server were listed and pinned: tools that appear later are new. While it is false only the instructions were seen, and
    /// the next list of tools is a first sight.
    /// </summary>
    public bool ToolsSeen { get; init; }

    /// <summary>The pins by exact tool name (ordinal).</summary>
    public IReadOnlyDictionary<string, ToolPin> Tools { get; init; } = new Dictionary<string, ToolPin>(StringComparer.Ordinal);
}
