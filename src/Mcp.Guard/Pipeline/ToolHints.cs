namespace Mcp.Guard.Pipeline;

/// <summary>What a server says of a tool's danger. <c>default</c> is the most dangerous reading.</summary>
/// <param name="IsReadOnly">Says that it changes nothing.</param>
/// <param name="IsNotDestructive">Says that its changes only add.</param>
/// <param name="IsClosedWorld">Says that it reaches nothing outside.</param>
/// <param name="SaysDestructive">Says in so many words that it destroys.</param>
internal readonly record struct ToolHints(bool IsReadOnly, bool IsNotDestructive, bool IsClosedWorld, bool SaysDestructive);
