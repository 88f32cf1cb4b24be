using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>How a definition stands to its pin. The default value is that of pins out of reach.</summary>
/// <param name="State">The state.</param>
/// <param name="Pin">The stored pin; null where there is none, or the policy carries it.</param>
internal readonly record struct ToolPinComparison(ToolPinState State, ToolPin? Pin);
