namespace Mcp.Guard.Soak;

/// <summary>What was seen at one moment.</summary>
/// <param name="Second">Since the start.</param>
/// <param name="HeapBytes">What a full collection left.</param>
/// <param name="WorkingSetBytes">What the process holds of the machine's memory.</param>
/// <param name="Handles">Open file descriptors; 0 where the system does not list them.</param>
/// <param name="Threads">Threads of the process.</param>
/// <param name="Calls">Calls since the sample before.</param>
/// <param name="MedianMs">Their median, of those that are allowed at once.</param>
/// <param name="WorstMs">Their 99th percentile.</param>
internal sealed record SoakSample(int Second, long HeapBytes, long WorkingSetBytes, int Handles, int Threads, long Calls, double MedianMs, double WorstMs);
