namespace Mcp.Guard.Isolation;

/// <summary>
/// Finds the cgroup (version 2) in which the host may make others: the parent of its own, where that is delegated to it (systemd:
/// <c>Delegate=yes</c> with <c>DelegateSubgroup=</c>). The host's own cgroup holds the host, so it can have no limited children
/// (the kernel's rule of no processes in inner nodes).
/// </summary>
internal static class CgroupDiscovery
{
    private static readonly string[] s_controllers = ["memory", "pids", "cpu"];

    public static string? FindParent(string mount, string ownCgroupFile)
    {
        try
        {
            if (!File.Exists($"{mount}/cgroup.controllers"))
            {
                return null;
            }

            foreach (string line in File.ReadLines(ownCgroupFile))
            {
                if (line.StartsWith("0::/", StringComparison.Ordinal)
                    && Path.GetDirectoryName(line[3..]) is { Length: > 1 } parent
                    && HasControllers($"{mount}{parent}"))
                {
                    return $"{mount}{parent}";
                }
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Not readable: not delegated.
        }

        return null;
    }

    private static bool HasControllers(string folder)
    {
        string[] enabled = File.ReadAllText($"{folder}/cgroup.subtree_control").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        foreach (string controller in s_controllers)
        {
            if (!enabled.Contains(controller, StringComparer.Ordinal))
            {
                return false;
            }
        }

        // Opening for writing asks the kernel; nothing is written.
        using FileStream procs = new($"{folder}/cgroup.procs", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        return procs.CanWrite;
    }
}
