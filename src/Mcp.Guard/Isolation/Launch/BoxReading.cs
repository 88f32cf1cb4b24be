namespace Mcp.Guard.Isolation.Launch;

/// <summary>What one look at a box saw.</summary>
/// <param name="Seen">Whether its first process was found: where it was not, the bytes say nothing.</param>
/// <param name="Bytes">Memory of all its processes together.</param>
/// <param name="Processes">How many there are.</param>
internal readonly record struct BoxReading(bool Seen, long Bytes, int Processes);
