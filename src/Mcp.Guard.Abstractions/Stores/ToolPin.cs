namespace Mcp.Guard;

/// <summary>The remembered fingerprint of one tool definition.</summary>
public sealed class ToolPin
{
    /// <summary>The exact tool name.</summary>
    public required string Tool { get; init; }

    /// <summary>Lower-case hexadecimal SHA-256 over the canonical definition.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The canonical definition that was approved, so that a change can be shown side by side; null where only the fingerprint is known.</summary>
    public string? Definition { get; init; }

    /// <summary>True where a person agreed to a tool that appeared or changed after the first sight of its server. At first sight tools are pinned without.</summary>
    public bool IsApproved { get; init; }

    /// <summary>When it was pinned.</summary>
    public required DateTimeOffset PinnedAt { get; init; }
}
