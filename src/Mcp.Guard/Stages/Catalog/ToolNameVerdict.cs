namespace Mcp.Guard.Stages.Catalog;

/// <summary>Whether a name may be used, and which other name stands in its way.</summary>
/// <param name="Fault">What is wrong; only <see cref="ToolNameFault.None"/> lets the tool be listed and called.</param>
/// <param name="Twin">The other name of a <see cref="ToolNameFault.Twin"/>.</param>
internal readonly record struct ToolNameVerdict(ToolNameFault Fault, string? Twin = null)
{
    public bool IsUsable => Fault == ToolNameFault.None;
}
