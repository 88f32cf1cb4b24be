using System.Buffers;
using System.Globalization;
using System.IO.Enumeration;
using System.Text;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>Reads the kernel's files about processes: bounded, and never with a fault for a process that ends meanwhile.</summary>
/// <param name="folder">Where they are: /proc, or a folder made like it by a test.</param>
internal sealed class ProcFiles(string folder)
{
    /// <summary>Where the kernel shows its processes.</summary>
    public const string Kernel = "/proc";

    private const int LongestFile = 8192;

    private static readonly EnumerationOptions s_all = new() { IgnoreInaccessible = true, AttributesToSkip = 0, RecurseSubdirectories = false };

    public string Folder => folder;

    /// <summary>The ids below /proc, or the threads of one process.</summary>
    public List<int> Ids(int? threadsOf = null)
    {
        string place = threadsOf is { } id ? string.Create(CultureInfo.InvariantCulture, $"{folder}/{id}/task") : folder;
        try
        {
            return [.. new FileSystemEnumerable<int>(place, static (ref FileSystemEntry entry) => Number(entry.FileName), s_all)
            {
                ShouldIncludePredicate = static (ref FileSystemEntry entry) => Number(entry.FileName) > 0,
            }];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return []; // it has ended
        }
    }

    /// <summary>The id that was given out last, the last number of <c>/proc/loadavg</c>; 0 where it cannot be read.</summary>
    public int LastId() => LastNumber("loadavg");

    /// <summary>How many ids there are (<c>/proc/sys/kernel/pid_max</c>); 0 where it cannot be read.</summary>
    public int MostIds() => LastNumber("sys/kernel/pid_max");

    private int LastNumber(string file)
    {
        Span<byte> buffer = stackalloc byte[128];
        try
        {
            using var handle = File.OpenHandle($"{folder}/{file}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            ReadOnlySpan<byte> text = buffer[..RandomAccess.Read(handle, buffer, 0)].TrimEnd((byte)'\n');
            text = text[(text.LastIndexOf((byte)' ') + 1)..];
            return System.Buffers.Text.Utf8Parser.TryParse(text, out int last, out int used) && used == text.Length && last > 0 ? last : 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>The parent of a process.</summary>
    public bool TryReadParent(int id, out int parent)
    {
        parent = 0;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LongestFile);
        try
        {
            if (!TryRead(id, "stat", buffer, out int length))
            {
                return false;
            }

            // "pid (name) state parent ...": the name may hold anything, its last parenthesis ends it.
            ReadOnlySpan<byte> text = buffer.AsSpan(0, length);
            text = text[(text.LastIndexOf((byte)')') + 1)..];
            return text.Length > 4 && System.Buffers.Text.Utf8Parser.TryParse(text[3..], out parent, out _) && parent >= 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// What a process holds, shared pages counted whole. A process whose first thread has ended shows nothing under its own id, and all its memory under
    /// the id of any other thread.
    /// </summary>
    /// <param name="id">The process.</param>
    /// <param name="told">The id under which the kernel tells it.</param>
    /// <param name="memory">What it holds.</param>
    public bool TryReadStatus(int id, out int told, out ProcessMemory memory)
    {
        told = id;
        if (TryReadStatus(id, out memory))
        {
            return true;
        }

        foreach (int thread in Ids(threadsOf: id))
        {
            if (thread != id && TryReadStatus(thread, out memory))
            {
                told = thread;
                return true;
            }
        }

        return false;
    }

    /// <summary>What a process holds, shared pages counted in parts. The kernel walks its page tables for this: about 15 ms for each GiB.</summary>
    public bool TryReadRollup(int id, out ProcessMemory memory)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LongestFile);
        memory = default;
        bool read = TryRead(id, "smaps_rollup", buffer, out int length) && ProcessMemory.TryReadRollup(buffer.AsSpan(0, length), out memory);
        ArrayPool<byte>.Shared.Return(buffer);
        return read;
    }

    /// <summary>Whether two processes are one in memory, as between vfork and exec; what a folder made by a test shows are no processes.</summary>
    public bool IsSameMemory(int one, int other) => folder == Kernel && LinuxNative.IsSameMemory(one, other);

    private bool TryReadStatus(int id, out ProcessMemory memory)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LongestFile);
        memory = default;
        bool read = TryRead(id, "status", buffer, out int length) && ProcessMemory.TryReadStatus(buffer.AsSpan(0, length), out memory);
        ArrayPool<byte>.Shared.Return(buffer);
        return read;
    }

    private bool TryRead(int id, string file, byte[] buffer, out int length)
    {
        length = 0;
        try
        {
            // Sharing all spares the runtime's lock on the file; the kernel gives such a file whole in one or two reads.
            using var handle = File.OpenHandle(
                string.Create(CultureInfo.InvariantCulture, $"{folder}/{id}/{file}"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            while (length < buffer.Length && RandomAccess.Read(handle, buffer.AsSpan(length), length) is > 0 and var read)
            {
                length += read;
            }

            return length > 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended, or this file of it is not for us
        }
    }

    private static int Number(ReadOnlySpan<char> name) => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
}
