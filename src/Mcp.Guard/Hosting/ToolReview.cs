namespace Mcp.Guard;

/// <summary>A definition, or the instructions of a server, that waits for a person's decision.</summary>
public sealed class ToolReview
{
    /// <summary>Stands for exactly this server, tool and definition: where the tool changes again it is another id.</summary>
    public required string Id { get; init; }

    /// <summary>The server's id in the policy.</summary>
    public required string ServerId { get; init; }

    /// <summary>The exact tool name, escaped for display; <c>instructions</c> for those of the server.</summary>
    public required string ToolName { get; init; }

    /// <summary>Why it waits.</summary>
    public required ToolReviewKind Kind { get; init; }

    /// <summary>False where the policy carries the pins: then only a change of the policy approves.</summary>
    public required bool CanApprove { get; init; }

    /// <summary>What is different, field by field, for display; at most 24. For a new tool its whole definition is one entry.</summary>
    public required IReadOnlyList<ToolChange> Changes { get; init; }

    /// <summary>How many more differences there are than <see cref="Changes"/>.</summary>
    public int OmittedChanges { get; init; }

    /// <summary>What was approved, as canonical JSON text; null where nothing was or only the fingerprint is known. The server's text: not safe to show as it is.</summary>
    public string? Before { get; init; }

    /// <summary>What the server offers now, as canonical JSON text. The server's text: not safe to show as it is.</summary>
    public required string After { get; init; }

    /// <summary>The fingerprint of <see cref="After"/>: what a policy would carry under <c>pins</c>.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>When the guard saw it first.</summary>
    public required DateTimeOffset SeenAt { get; init; }
}
