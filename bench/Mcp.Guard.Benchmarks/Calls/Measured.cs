namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>What one operation took.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Nanoseconds">The median of all rounds.</param>
/// <param name="Least">The least of all rounds: what is left when other work has the machine.</param>
/// <param name="Bytes">Allocated on its thread, for each run.</param>
internal sealed record Measured(string Name, double Nanoseconds, double Least, double Bytes);
