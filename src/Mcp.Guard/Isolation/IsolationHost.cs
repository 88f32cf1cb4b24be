using System.Globalization;
using System.Runtime.InteropServices;
using Mcp.Guard.Isolation.Launch;
using Mcp.Guard.Isolation.Seccomp;

namespace Mcp.Guard.Isolation;

/// <summary>What the machine offers for boxes. Programs are looked for in fixed system folders only, never along PATH.</summary>
internal sealed record IsolationHost
{
    private static readonly string[] s_programFolders = ["/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin"];

    public required bool IsLinux { get; init; }

    public bool IsWindows { get; init; }

    /// <summary>Absolute path of bwrap; null where it is absent.</summary>
    public string? Bubblewrap { get; init; }

    /// <summary>Whether that bwrap binds opened descriptors (0.10, or a distribution's patched older one).</summary>
    public bool BubblewrapBindsDescriptors { get; init; }

    /// <summary>setpriv of util-linux.</summary>
    public string? SetPrivileges { get; init; }

    /// <summary>prlimit of util-linux.</summary>
    public string? SetLimits { get; init; }

    /// <summary>taskset of util-linux.</summary>
    public string? SetProcessors { get; init; }

    public string? Docker { get; init; }

    public string? Podman { get; init; }

    /// <summary>Effective user and group of the host process.</summary>
    public JailUser User { get; init; } = JailUser.Nobody;

    public bool IsRoot => User.User == 0;

    /// <summary>Null where no filter is known for the processor.</summary>
    public SeccompArchitecture? Architecture { get; init; }

    /// <summary>Numbers of the processors the host process may use.</summary>
    public IReadOnlyList<int> Processors { get; init; } = [0];

    /// <summary>Home folder of the host's user; never bound as a whole.</summary>
    public string? HomeFolder { get; init; }

    /// <summary>A cgroup (version 2) delegated to the host, in which it may make others with limits; null where there is none.</summary>
    public string? CgroupParent { get; init; }

    public IHostFiles Files { get; init; } = LocalFiles.Instance;

    /// <summary>This machine.</summary>
    public static IsolationHost Detect()
    {
        bool linux = OperatingSystem.IsLinux();
        string? bubblewrap = linux ? Find("bwrap") : null;
        return new IsolationHost
        {
            IsLinux = linux,
            IsWindows = OperatingSystem.IsWindows(),
            Bubblewrap = bubblewrap,
            BubblewrapBindsDescriptors = bubblewrap is not null && ContainsText(bubblewrap, "--ro-bind-fd"u8),
            SetPrivileges = linux ? Find("setpriv") : null,
            SetLimits = linux ? Find("prlimit") : null,
            SetProcessors = linux ? Find("taskset") : null,
            Docker = Find("docker"),
            Podman = Find("podman"),
            User = linux ? new JailUser(LinuxNative.EffectiveUser(), LinuxNative.EffectiveGroup()) : JailUser.Nobody,
            Architecture = linux ? ThisArchitecture() : null,
            Processors = linux ? AllowedProcessors(File.ReadAllText("/proc/self/status")) : [.. Enumerable.Range(0, Environment.ProcessorCount)],
            HomeFolder = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home ? home : null,
            CgroupParent = linux ? CgroupDiscovery.FindParent("/sys/fs/cgroup", "/proc/self/cgroup") : null,
        };
    }

    private static SeccompArchitecture? ThisArchitecture() => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => SeccompArchitecture.X64,
        System.Runtime.InteropServices.Architecture.Arm64 => SeccompArchitecture.Arm64,
        _ => null,
    };

    /// <summary>Reads <c>Cpus_allowed_list: 0-3,8</c>.</summary>
    internal static List<int> AllowedProcessors(string status)
    {
        const string Name = "Cpus_allowed_list:";
        var processors = new List<int>();
        foreach (string line in status.Split('\n'))
        {
            if (!line.StartsWith(Name, StringComparison.Ordinal))
            {
                continue;
            }

            foreach (string range in line[Name.Length..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                string[] ends = range.Split('-');
                int first = int.Parse(ends[0], CultureInfo.InvariantCulture);
                processors.AddRange(Enumerable.Range(first, int.Parse(ends[^1], CultureInfo.InvariantCulture) - first + 1));
            }
        }

        return processors;
    }

    private static string? Find(string program)
    {
        foreach (string folder in s_programFolders)
        {
            string path = $"{folder}/{program}";
            if (File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    // The option's name is in the program's own help text; reading the file starts nothing.
    private static bool ContainsText(string program, ReadOnlySpan<byte> text)
    {
        try
        {
            return File.ReadAllBytes(program).AsSpan().IndexOf(text) >= 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
