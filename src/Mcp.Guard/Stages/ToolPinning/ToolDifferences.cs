namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>The differences of two definitions as a person is shown them.</summary>
/// <param name="Changes">One by one, at most <see cref="ToolComparison.MaxChanges"/>.</param>
/// <param name="Omitted">How many more there are.</param>
/// <param name="IsCut">True where a value is not shown whole.</param>
internal sealed record ToolDifferences(IReadOnlyList<ToolChange> Changes, int Omitted, bool IsCut)
{
    public static ToolDifferences None { get; } = new([], 0, false);
}
