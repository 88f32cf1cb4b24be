namespace Mcp.Guard.Isolation;

/// <summary>Whether one control of <see cref="IsolationControls"/> is in force for a planned start, and how or why not.</summary>
internal sealed record IsolationControlStatus(string Control, bool InForce, string Detail);
