using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Mcp.Guard.Isolation;

/// <summary>The names of what a box can hold, as a policy requires them and as plans and logs report them.</summary>
internal static class IsolationControls
{
    /// <summary>Nothing of the host's environment is inherited.</summary>
    public const string CleanEnvironment = "clean-environment";

    /// <summary>Only descriptors 0 to 2 are inherited.</summary>
    public const string Descriptors = "descriptors";

    /// <summary>All processes of the server end when it is stopped.</summary>
    public const string ProcessTree = "process-tree";

    /// <summary>All processes of the server end when the host is killed.</summary>
    public const string DiesWithHost = "dies-with-host";

    /// <summary>The system is read-only and only the listed folders are visible.</summary>
    public const string FileSystem = "file-system";

    /// <summary>The guard's own files cannot be reached.</summary>
    public const string GuardFiles = "guard-files";

    /// <summary>A temporary folder of its own, size-limited.</summary>
    public const string PrivateTemp = "private-temp";

    /// <summary>No network, or only an own loopback, as the policy says.</summary>
    public const string Network = "network";

    /// <summary>Host processes are neither seen nor signalled.</summary>
    public const string Processes = "process-isolation";

    /// <summary>No shared memory, message queues, host name or session of the host.</summary>
    public const string HostObjects = "host-objects";

    /// <summary>Not root on the host, no capabilities, no new privileges.</summary>
    public const string Privileges = "privileges";

    /// <summary>System calls are filtered.</summary>
    public const string SystemCalls = "system-calls";

    /// <summary>User namespaces cannot be made inside.</summary>
    public const string NestedNamespaces = "nested-namespaces";

    /// <summary>Memory of each process is limited.</summary>
    public const string ProcessMemory = "process-memory";

    /// <summary>The kernel gives all processes together no more memory than the limit.</summary>
    public const string TotalMemory = "total-memory";

    /// <summary>The server ends when all its processes together hold more memory than the limit: the kernel's limit, or the guard's own watch.</summary>
    public const string MemoryWatch = "memory-watch";

    /// <summary>Processor time is limited.</summary>
    public const string Cpus = "cpus";

    /// <summary>The number of processes and threads is limited.</summary>
    public const string ProcessCount = "process-count";

    public const string OpenFiles = "open-files";

    public const string FileSize = "file-size";

    /// <summary>Every name, in the order of the documentation.</summary>
    public static ImmutableArray<string> Names { get; } =
    [
        CleanEnvironment, Descriptors, ProcessTree, DiesWithHost, FileSystem, GuardFiles, PrivateTemp, Network, Processes, HostObjects,
        Privileges, SystemCalls, NestedNamespaces, ProcessMemory, TotalMemory, MemoryWatch, Cpus, ProcessCount, OpenFiles, FileSize,
    ];

    public static FrozenSet<string> All { get; } = Names.ToFrozenSet(StringComparer.Ordinal);
}
