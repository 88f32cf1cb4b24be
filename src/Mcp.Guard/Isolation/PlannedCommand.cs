namespace Mcp.Guard.Isolation;

/// <summary>A program and its arguments, one value an argument, no shell.</summary>
internal sealed record PlannedCommand(string Executable, IReadOnlyList<string> Arguments);
