using System.Runtime.InteropServices;

namespace Mcp.Guard.Benchmarks.RoundTrips;

/// <summary>What this process has used so far: bytes allocated, time of the processor, and switches of threads that it waited for or was made to make.</summary>
/// <param name="Bytes">Allocated.</param>
/// <param name="Microseconds">Of the processor, in all threads.</param>
/// <param name="Switches">Of threads; 0 where the system does not say (getrusage(2), Linux).</param>
internal readonly partial record struct ProcessUse(long Bytes, double Microseconds, long Switches)
{
    public static ProcessUse Now()
    {
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        if (!OperatingSystem.IsLinux())
        {
            return new(bytes, Environment.CpuUsage.TotalTime.TotalMicroseconds, 0);
        }

        Span<long> use = stackalloc long[18];
        _ = GetUse(0, use);
        return new(bytes, ((use[0] + use[2]) * 1e6) + use[1] + use[3], use[16] + use[17]);
    }

    public static ProcessUse operator +(ProcessUse left, ProcessUse right) =>
        new(left.Bytes + right.Bytes, left.Microseconds + right.Microseconds, left.Switches + right.Switches);

    public static ProcessUse operator -(ProcessUse left, ProcessUse right) =>
        new(left.Bytes - right.Bytes, left.Microseconds - right.Microseconds, left.Switches - right.Switches);

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static partial int GetUse(int who, Span<long> use);
}
