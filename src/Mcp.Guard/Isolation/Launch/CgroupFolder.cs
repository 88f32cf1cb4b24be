namespace Mcp.Guard.Isolation.Launch;

/// <summary>Makes, fills and removes the cgroup of one server.</summary>
internal static class CgroupFolder
{
    /// <summary>Makes the cgroup and writes its limits.</summary>
    public static void Create(CgroupPlan plan)
    {
        Directory.CreateDirectory(plan.Folder);
        foreach ((string file, string value) in plan.Settings)
        {
            File.WriteAllText(Path.Combine(plan.Folder, file), value);
        }
    }

    /// <summary>Moves a process into the cgroup; what it starts afterwards is born there.</summary>
    public static void Add(CgroupPlan plan, int pid) =>
        File.WriteAllText(Path.Combine(plan.Folder, "cgroup.procs"), pid.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Ends what is left in the cgroup and removes it. An empty cgroup that stays costs nothing, so faults are not reported.</summary>
    public static void Remove(CgroupPlan? plan)
    {
        if (plan is null)
        {
            return;
        }

        try
        {
            string kill = Path.Combine(plan.Folder, "cgroup.kill");
            if (File.Exists(kill))
            {
                File.WriteAllText(kill, "1");
            }

            // A cgroup is removed as a folder although it lists interface files.
            Directory.Delete(plan.Folder, recursive: false);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The kernel still ends its processes.
        }
    }
}
