namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>One thing to measure.</summary>
/// <param name="Name">What it is called in the table.</param>
/// <param name="Run">Does it once; false is a fault of the measurement.</param>
/// <param name="Settle">Run after each batch, and not measured: lets what works beside it catch up; null where nothing does.</param>
internal sealed record Operation(string Name, Func<bool> Run, Action? Settle = null);
