using System.Globalization;

namespace Mcp.Guard.Isolation;

/// <summary>The wrapper arguments (prlimit, taskset of util-linux) that put limits on a program before it starts.</summary>
internal static class LimitArguments
{
    /// <summary>Arguments to put before the program's own; the limits are hard ones, so the program cannot raise them.</summary>
    /// <param name="options">The limits.</param>
    /// <param name="host">Where the wrappers are.</param>
    /// <param name="countProcesses">Whether the number of processes is limited here: it counts all processes of the user in the user namespace.</param>
    public static List<string> Create(IsolationOptions options, IsolationHost host, bool countProcesses)
    {
        var arguments = new List<string>();
        if (host.SetProcessors is not null && AffinityProcessors(options, host) is { } processors)
        {
            arguments.AddRange([host.SetProcessors, "--cpu-list", string.Join(',', host.Processors.Take(processors))]);
        }

        if (host.SetLimits is null)
        {
            return arguments;
        }

        // No core dumps: they would carry the server's secrets to the disk.
        arguments.AddRange([host.SetLimits, "--core=0:0"]);
        Add(arguments, "data", options.Memory);
        Add(arguments, "nofile", options.OpenFiles);
        Add(arguments, "fsize", options.FileSize);
        Add(arguments, "nproc", countProcesses ? options.Processes : null);
        arguments.Add("--");
        return arguments;
    }

    /// <summary>Whole processors to confine the program to; null where that limits nothing.</summary>
    public static int? AffinityProcessors(IsolationOptions options, IsolationHost host) =>
        options.Cpus is { } cpus && Math.Ceiling(cpus) < host.Processors.Count ? (int)Math.Ceiling(cpus) : null;

    private static void Add(List<string> arguments, string name, long? value)
    {
        if (value is { } limit)
        {
            string text = limit.ToString(CultureInfo.InvariantCulture);
            arguments.Add($"--{name}={text}:{text}");
        }
    }
}
