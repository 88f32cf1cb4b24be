namespace Mcp.Guard;

/// <summary>The tool calls of one server at a moment, over all connections of this guard.</summary>
/// <param name="Running">Calls that hold a slot; <paramref name="Abandoned"/> ones among them.</param>
/// <param name="Waiting">Calls that wait for a slot.</param>
/// <param name="Abandoned">Calls that were given up (timed out, cancelled, stopped) and keep their slot because the server may still work on them.</param>
public readonly record struct ServerLoad(int Running, int Waiting, int Abandoned);
