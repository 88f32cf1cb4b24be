namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>Makes the content that a store keeps: a copy, so that a later change of the caller's dictionary changes nothing stored.</summary>
internal static class PinSnapshot
{
    /// <summary>Most pins of one server: its tools, as many refusals, its instructions.</summary>
    public const int MaxTools = (2 * Catalog.CatalogNames.MaxTools) + 2;

    /// <exception cref="ArgumentException">There are more tools than are pinned for one server.</exception>
    public static PinnedCatalog Next(PinnedCatalog pins)
    {
        if (pins.Tools.Count > MaxTools)
        {
            throw new ArgumentException($"A server has at most {MaxTools} pins; this one has {pins.Tools.Count}.", nameof(pins));
        }

        return new PinnedCatalog
        {
            Status = PinnedCatalogStatus.Known,
            Version = pins.Version + 1,
            InstructionsFingerprint = pins.InstructionsFingerprint,
            ToolsSeen = pins.ToolsSeen,
            Tools = new Dictionary<string, ToolPin>(pins.Tools, StringComparer.Ordinal),
        };
    }
}
