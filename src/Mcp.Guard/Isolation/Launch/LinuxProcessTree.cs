using System.Buffers;
using System.Globalization;
using System.Text;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>
/// Finds and ends what an unjailed server started: members of its session, descendants, and processes that still carry the environment
/// mark the guard gave it. A process that leaves the session, loses its parent and rewrites its environment escapes: only a jail holds that.
/// </summary>
/// <param name="root">The server's process id, which is its session id too.</param>
/// <param name="mark">The environment entry <c>NAME=value</c>.</param>
internal sealed class LinuxProcessTree(int root, string mark)
{
    private const int Passes = 8;

    /// <summary>Passes of the one who waits: after the first few each sleeps a millisecond, so about a second.</summary>
    private const int WaitingPasses = 1000;
    private const int LongestEnvironment = 128 * 1024;
    private readonly byte[] _mark = Encoding.UTF8.GetBytes(mark);

    /// <summary>Kills them, looking again for those that were forked meanwhile.</summary>
    /// <param name="withRoot">Whether the server itself is killed too.</param>
    public void Kill(bool withRoot)
    {
        for (int pass = 0; pass < Passes; pass++)
        {
            if (KillOnce(withRoot) == 0)
            {
                return;
            }
        }
    }

    /// <summary>
    /// Kills what the ended server left, and waits until it is gone: a killed process lives on until the kernel next runs it, which takes time on a busy
    /// machine. For the thread that waits for the server.
    /// </summary>
    public void KillLeftOvers()
    {
        var wait = new SpinWait();
        for (int pass = 0; pass < WaitingPasses && KillOnce(includeRoot: false) > 0; pass++)
        {
            wait.SpinOnce();
        }
    }

    private int KillOnce(bool includeRoot)
    {
        Dictionary<int, Entry> processes = Snapshot();
        int killed = 0;
        foreach ((int pid, Entry entry) in processes)
        {
            if (pid == root ? !includeRoot : !IsOurs(pid, entry, processes))
            {
                continue;
            }

            // A dead process that waits for its parent is not ours to end any more.
            if (entry.State is not ('Z' or 'X') && LinuxNative.Kill(pid, LinuxNative.SigKill) == 0)
            {
                killed++;
            }
        }

        return killed;
    }

    private bool IsOurs(int pid, Entry entry, Dictionary<int, Entry> processes)
    {
        if (entry.Session == root)
        {
            return true;
        }

        int parent = entry.Parent;
        for (int depth = 0; depth < processes.Count && parent > 1; depth++)
        {
            if (parent == root)
            {
                return true;
            }

            parent = processes.TryGetValue(parent, out Entry above) ? above.Parent : 0;
        }

        return pid != Environment.ProcessId && HasMark(pid);
    }

    private static Dictionary<int, Entry> Snapshot()
    {
        var processes = new Dictionary<int, Entry>();
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && TryReadStat(folder, out Entry entry))
            {
                processes[pid] = entry;
            }
        }

        return processes;
    }

    private static bool TryReadStat(string folder, out Entry entry)
    {
        entry = default;
        string text;
        try
        {
            text = File.ReadAllText(folder + "/stat");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        // "pid (name) state parent group session ...": the name may hold anything, its last parenthesis ends it.
        int end = text.LastIndexOf(')');
        string[] fields = end < 0 ? [] : text[(end + 1)..].Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 5
            || !int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out int parent)
            || !int.TryParse(fields[3], NumberStyles.None, CultureInfo.InvariantCulture, out int session))
        {
            return false;
        }

        entry = new Entry(fields[0][0], parent, session);
        return true;
    }

    private bool HasMark(int pid)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LongestEnvironment);
        try
        {
            using FileStream file = new($"/proc/{pid}/environ", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return buffer.AsSpan(0, length).IndexOf(_mark) >= 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private readonly record struct Entry(char State, int Parent, int Session);
}
