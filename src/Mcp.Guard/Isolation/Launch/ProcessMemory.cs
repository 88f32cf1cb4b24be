using System.Buffers.Text;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>What one process holds, in bytes, as the kernel tells it in /proc.</summary>
/// <param name="Private">Anonymous memory, and what of it was swapped out.</param>
/// <param name="Shared">Pages of memory file systems that are mapped.</param>
/// <param name="Huge">Huge pages.</param>
/// <param name="Tables">Page tables: they grow with what is mapped and touched, also where that is only the kernel's page of zeros.</param>
internal readonly record struct ProcessMemory(long Private, long Shared, long Huge, long Tables)
{
    public long Total => Private + Shared + Huge + Tables;

    /// <summary>
    /// Reads <c>/proc/PID/status</c>, whose counters the kernel keeps at hand. Pages that processes share after a fork count in each of them.
    /// False for a process without memory: one that has ended, or whose first thread has.
    /// </summary>
    public static bool TryReadStatus(ReadOnlySpan<byte> status, out ProcessMemory memory)
    {
        long anonymous = Kilobytes(status, "RssAnon:"u8);
        memory = anonymous < 0 ? default : new ProcessMemory(
            anonymous + Kept(status, "VmSwap:"u8),
            Kept(status, "RssShmem:"u8),
            Kept(status, "HugetlbPages:"u8),
            Kept(status, "VmPTE:"u8));
        return anonymous >= 0;
    }

    /// <summary>
    /// Reads <c>/proc/PID/smaps_rollup</c>, for which the kernel walks the page tables: a shared page counts in parts. It says nothing of page tables.
    /// False where this kernel does not tell the kinds apart (before 5.13).
    /// </summary>
    public static bool TryReadRollup(ReadOnlySpan<byte> rollup, out ProcessMemory memory)
    {
        long anonymous = Kilobytes(rollup, "Pss_Anon:"u8);
        long shared = Kilobytes(rollup, "Pss_Shmem:"u8);
        bool read = anonymous >= 0 && shared >= 0;
        memory = read
            ? new ProcessMemory(anonymous + Kept(rollup, "SwapPss:"u8), shared, Kept(rollup, "Private_Hugetlb:"u8) + Kept(rollup, "Shared_Hugetlb:"u8), 0)
            : default;
        return read;
    }

    private static long Kept(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name) => Math.Max(0, Kilobytes(text, name));

    // "Name:      123 kB" at the start of a line; a process cannot break a line with its own name, the kernel escapes that.
    private static long Kilobytes(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        while (text.Length > 0)
        {
            int end = text.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
            if (line.StartsWith(name))
            {
                return Utf8Parser.TryParse(line[name.Length..].TrimStart(" \t"u8), out long number, out _) && number is >= 0 and < long.MaxValue / 4096
                    ? number * 1024
                    : -1;
            }

            text = end < 0 ? [] : text[(end + 1)..];
        }

        return -1;
    }
}
