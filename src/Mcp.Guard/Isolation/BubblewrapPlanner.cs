using System.Globalization;
using System.Text;
using Mcp.Guard.Isolation.Seccomp;

namespace Mcp.Guard.Isolation;

/// <summary>Plans a start in a box made by bwrap: namespaces, a read-only system, the listed folders, a filter, limits.</summary>
internal sealed class BubblewrapPlanner
{
    /// <summary>Size of the box's /dev/shm where the temporary folder is larger.</summary>
    private const long MostSharedMemory = 8L << 20;

    /// <summary>Where a server starts unless the policy says otherwise: empty and read-only.</summary>
    private const string EmptyFolder = "/var/empty";

    /// <summary>A size of 0 would mean no limit to the kernel.</summary>
    private const long LeastTemp = 4096;

    // Read-only files that programs need to start, to know the time zone and to trust certificates; nothing that tells of users or secrets.
    private static readonly string[] s_systemFiles =
    [
        "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/mime.types",
        "/etc/ca-certificates", "/etc/crypto-policies", "/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
    ];

    private static readonly string[] s_networkFiles =
        ["/etc/gai.conf", "/etc/host.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/services"];

    private static readonly string[] s_systemFolders = ["/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"];

    private readonly IsolationOptions _options;
    private readonly IsolationHost _host;
    private readonly JailUser _user;
    private readonly List<string> _arguments = [];

    /// <summary>Whether nothing is lost by memory that the limits of a process do not count: there is no limit, or a cgroup counts all.</summary>
    private bool CountsAllMemory => _options.Memory is null || _host.CgroupParent is not null;

    private BubblewrapPlanner(IsolationOptions options, IsolationHost host, JailUser user)
    {
        _options = options;
        _host = host;
        _user = user;
    }

    public static IsolationPlan Create(IsolationOptions options, IsolationHost host)
    {
        JailUser user = ChooseUser(options, host);
        if (!host.IsLinux || host.Bubblewrap is null)
        {
            throw Unavailable(options, host.IsLinux ? "bubblewrap is not installed" : "bubblewrap exists on Linux only", host.IsLinux ? "Install the package bubblewrap" : "Choose isolation.mode \"container\"");
        }

        if (!host.BubblewrapBindsDescriptors)
        {
            throw Unavailable(options, $"{host.Bubblewrap} cannot bind opened folders (--ro-bind-fd)", "Install bubblewrap 0.10 or later, or a distribution's patched version (Debian 0.8.0-2+deb12u1)");
        }

        if (host.Architecture is null)
        {
            throw Unavailable(options, "there is no system-call filter for this processor", "Choose isolation.mode \"container\"");
        }

        if (host.IsRoot && host.SetPrivileges is null)
        {
            throw Unavailable(options, "the host runs as root and setpriv, which leaves root before the box is made, is not installed", "Run the host as an ordinary user, or install util-linux");
        }

        return new BubblewrapPlanner(options, host, user).Create();
    }

    private static JailUser ChooseUser(IsolationOptions options, IsolationHost host)
    {
        JailUser user = JailUser.TryParse(options.User, out JailUser named) ? named : host.IsRoot ? JailUser.Nobody : host.User;
        if (user.User == 0)
        {
            throw new IsolationException(options.Server, IsolationFault.InvalidOptions, "isolation.user is root", "Choose another user: limits on processes do not bind root, and files of root would be within its rights");
        }

        return user == host.User || host.IsRoot
            ? user
            : throw new IsolationException(options.Server, IsolationFault.ControlUnavailable, $"the host may not start it as user {user}", "Run the host as that user or as root, or take isolation.user out of the policy");
    }

    private IsolationPlan Create()
    {
        RuntimePreset preset = RuntimePreset.Create(_options, _host);

        // A host that is not root keeps its user and groups inside: the kernel decides what they may.
        MountPlan mounts = MountPlanner.Create(_options, _host, _host.IsRoot ? _user : null, preset.Readable, ["/usr", .. s_systemFolders, .. s_systemFiles, .. s_networkFiles]);
        List<IsolationVariable> environment = CreateEnvironment(preset);
        string folder = WorkingDirectory(mounts);
        InterpreterScript.RequireShown(_options, _host, preset, mounts, ["/usr", .. s_systemFolders], folder);
        ReadOnlyMemory<byte>[] files = [Users(), Groups()];

        AddPrivileges();
        AddNamespaces();
        AddSystem();
        AddMounts(mounts, JailHandover.FirstFileDescriptor + files.Length);
        _arguments.AddRange(["--dir", EmptyFolder, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", folder, "--"]);
        _arguments.AddRange(LimitArguments.Create(_options, _host, countProcesses: true));
        _arguments.Add(preset.Command?.Executable ?? _options.Executable);
        _arguments.AddRange(preset.Command?.Arguments ?? _options.Arguments);

        CgroupPlan? cgroup = CreateCgroup();
        bool affinity = cgroup is null && _host.SetProcessors is not null && LimitArguments.AffinityProcessors(_options, _host) is not null;
        var rules = new SeccompRules(_options.Network != IsolationNetwork.None, CountsAllMemory, !affinity);
        return new IsolationPlan
        {
            Server = _options.Server,
            InstanceId = _options.InstanceId,
            Mode = IsolationMode.Bubblewrap,
            Executable = _arguments[0],
            Arguments = _arguments[1..],
            Environment = [],
            ServerEnvironment = environment,
            WorkingDirectory = "/",
            Handover = new JailHandover
            {
                EnvironmentArguments = SetVariables(environment),
                Filter = SeccompFilter.Create(_host.Architecture!.Value, rules).ToBytes(),
                Files = files,
                Mounts = mounts.Mounts,
            },
            Cgroup = cgroup,
            WatchedMemory = cgroup is null ? _options.Memory : null,
            Controls = CreateControls(cgroup, affinity),
        };
    }

    // Real root cannot be bound by a count of processes and owns the system's files: it is left before bwrap runs.
    private void AddPrivileges()
    {
        if (_host.IsRoot)
        {
            _arguments.AddRange([
                _host.SetPrivileges!,
                $"--reuid={_user.User.ToString(CultureInfo.InvariantCulture)}",
                $"--regid={_user.Group.ToString(CultureInfo.InvariantCulture)}",
                "--clear-groups", "--inh-caps=-all", "--no-new-privs", "--"]);
        }

        // Outside the box, whose filter lets nobody choose processors.
        _arguments.AddRange(LimitArguments.ForProcessors(_options, _host));
        _arguments.Add(_host.Bubblewrap!);
    }

    private void AddNamespaces()
    {
        _arguments.AddRange(["--args", Text(JailHandover.ArgumentsDescriptor), "--seccomp", Text(JailHandover.FilterDescriptor), "--info-fd", Text(JailHandover.InformationDescriptor)]);
        _arguments.AddRange(["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"]);
        if (_options.Network != IsolationNetwork.Host)
        {
            _arguments.Add("--unshare-net");
        }

        _arguments.AddRange(["--disable-userns", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]);
        _arguments.AddRange(["--uid", _user.User.ToString(CultureInfo.InvariantCulture), "--gid", _user.Group.ToString(CultureInfo.InvariantCulture), "--hostname", "mcp-guard"]);
    }

    private void AddSystem()
    {
        _arguments.AddRange(["--ro-bind", "/usr", "/usr"]);
        foreach (string folder in s_systemFolders)
        {
            if (_host.Files.Resolve(folder) is not { Kind: HostFileKind.Folder } found)
            {
                continue;
            }

            _arguments.AddRange(found.Path == folder ? ["--ro-bind", folder, folder] : ["--symlink", found.Path.TrimStart('/'), folder]);
        }

        foreach (string file in _options.Network == IsolationNetwork.Host ? s_systemFiles.Concat(s_networkFiles) : s_systemFiles)
        {
            if (_host.Files.Resolve(file) is not null)
            {
                _arguments.AddRange(["--ro-bind", file, file]);
            }
        }

        _arguments.AddRange(["--ro-bind-data", Text(JailHandover.FirstFileDescriptor), "/etc/passwd", "--ro-bind-data", Text(JailHandover.FirstFileDescriptor + 1), "/etc/group"]);
        string shared = Text(Math.Clamp(_options.Temp, LeastTemp, MostSharedMemory));
        _arguments.AddRange(["--proc", "/proc", "--dev", "/dev", "--perms", "0700", "--size", shared, "--tmpfs", "/dev/shm"]);
        if (!CountsAllMemory)
        {
            // A shared map of /dev/zero is shared anonymous memory, which no limit of a process counts; /dev/null cannot be mapped.
            _arguments.AddRange(["--dev-bind", "/dev/null", "/dev/zero"]);
        }

        _arguments.AddRange(["--perms", "0700", "--size", Text(Math.Max(_options.Temp, LeastTemp)), "--tmpfs", "/tmp"]);
    }

    private void AddMounts(MountPlan plan, int descriptor)
    {
        foreach (BindMount mount in plan.Mounts)
        {
            _arguments.AddRange([mount.Writable ? "--bind-fd" : "--ro-bind-fd", Text(descriptor++), mount.Target]);
        }

        foreach (string mask in plan.Masks)
        {
            _arguments.AddRange(["--perms", "0000", "--size", Text(LeastTemp), "--tmpfs", mask, "--remount-ro", mask]);
        }
    }

    private List<IsolationVariable> CreateEnvironment(RuntimePreset preset)
    {
        var environment = new EnvironmentBuilder(_options.Environment);
        foreach ((string name, string value) in preset.Environment)
        {
            environment.AddDefault(name, value);
        }

        environment.AddDefault("PATH", EnvironmentBuilder.SystemPath);
        environment.AddDefault("LANG", "C.UTF-8");
        environment.AddDefault("HOME", "/tmp");
        environment.AddDefault("TMPDIR", "/tmp");
        return environment.ToList();
    }

    private string WorkingDirectory(MountPlan mounts)
    {
        if (_options.WorkingDirectory is not { } wanted)
        {
            return EmptyFolder;
        }

        string folder = HostPaths.Normalize(wanted);
        return folder == "/tmp" || mounts.Mounts.Any(mount => mount.IsFolder && HostPaths.IsAtOrUnder(folder, mount.Target))
            ? folder
            : throw new IsolationException(_options.Server, IsolationFault.InvalidOptions, $"its working directory {wanted} is not in its box", "List the folder as readable or writable, or leave isolation.workingDirectory out");
    }

    private CgroupPlan? CreateCgroup()
    {
        if (_host.CgroupParent is null || (_options.Memory is null && _options.Cpus is null && _options.Processes is null))
        {
            return null;
        }

        var settings = new List<KeyValuePair<string, string>>();
        if (_options.Memory is { } memory)
        {
            settings.AddRange([new("memory.max", Text(memory)), new("memory.swap.max", "0"), new("memory.oom.group", "1")]);
        }

        if (_options.Processes is { } processes)
        {
            // bwrap itself and the box's first process are in it too.
            settings.Add(new("pids.max", Text(processes + 2L)));
        }

        if (_options.Cpus is { } cpus)
        {
            settings.Add(new("cpu.max", $"{Text((long)Math.Ceiling(cpus * 100_000))} 100000"));
        }

        return new CgroupPlan($"{_host.CgroupParent}/mcp-guard-{_options.InstanceId}", settings);
    }

    private List<IsolationControlStatus> CreateControls(CgroupPlan? cgroup, bool affinity)
    {
        const string NoLimits = "prlimit of util-linux is not installed";
        const string NoCgroup = "no cgroup (version 2) is delegated to the host";
        const string WatchDetail = "bytes together, looked at by the guard every 50 ms to 1 s: it passes the limit for that long, then the box ends";
        bool limits = _host.SetLimits is not null;
        bool shared = _options.Network == IsolationNetwork.Host;
        var report = new ControlReport();
        report.InForce(IsolationControls.CleanEnvironment, "only the variables of the policy, the preset and a few fixed ones");
        report.InForce(IsolationControls.Descriptors, "only 0 to 2 are inherited");
        report.InForce(IsolationControls.ProcessTree, "the kernel ends a process namespace as a whole");
        report.InForce(IsolationControls.DiesWithHost, "the box dies with the host (--die-with-parent)");
        report.InForce(IsolationControls.FileSystem, "read-only system, the listed folders, nothing else");
        report.InForce(IsolationControls.GuardFiles, "outside the box, or covered");
        report.InForce(IsolationControls.PrivateTemp, $"{Text(Math.Max(_options.Temp, LeastTemp))} bytes");
        report.Add(IsolationControls.Network, !shared, _options.Network == IsolationNetwork.None ? "none" : "an own loopback only", "the policy gives it the host's network");
        report.InForce(IsolationControls.Processes, "a process namespace of its own");
        report.Add(IsolationControls.HostObjects, !shared, "own shared memory, queues, host name, session, abstract sockets", "with the host's network its abstract sockets are in reach");
        report.InForce(IsolationControls.Privileges, $"user {_user}, no capabilities, no new privileges");
        report.InForce(IsolationControls.SystemCalls, "a list of allowed calls");
        report.InForce(IsolationControls.NestedNamespaces, "switched off, and refused by the filter");
        report.Limit(IsolationControls.ProcessMemory, _options.Memory, limits, "bytes of writable private memory in each process", NoLimits);
        report.Limit(IsolationControls.TotalMemory, _options.Memory, cgroup is not null, "bytes together", NoCgroup);
        report.Limit(IsolationControls.MemoryWatch, _options.Memory, true, cgroup is not null ? "bytes together, held by the cgroup" : WatchDetail, NoCgroup);
        report.Limit(
            IsolationControls.Cpus,
            _options.Cpus is null ? null : LimitArguments.AffinityProcessors(_options, _host) ?? _host.Processors.Count,
            cgroup is not null || affinity || LimitArguments.AffinityProcessors(_options, _host) is null,
            cgroup is not null ? "processors at most, by time" : "whole processors",
            "neither taskset of util-linux nor a delegated cgroup is there");
        report.Limit(IsolationControls.ProcessCount, _options.Processes, limits || cgroup is not null, "processes and threads, the box's first one included", NoLimits);
        report.Limit(IsolationControls.OpenFiles, _options.OpenFiles, limits, "in each process", NoLimits);
        report.Limit(IsolationControls.FileSize, _options.FileSize, limits, "bytes a file", NoLimits);
        return report.ToList();
    }

    private byte[] Users() => Encoding.UTF8.GetBytes($"mcp:x:{_user.User}:{_user.Group}:mcp:/tmp:/usr/sbin/nologin\n");

    private byte[] Groups() => Encoding.UTF8.GetBytes($"mcp:x:{_user.Group}:\n");

    private static List<string> SetVariables(IReadOnlyList<IsolationVariable> environment)
    {
        List<string> arguments = ["--clearenv"];
        foreach (IsolationVariable variable in environment)
        {
            arguments.AddRange(["--setenv", variable.Name, variable.Value]);
        }

        return arguments;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static IsolationException Unavailable(IsolationOptions options, string problem, string fix) => new(options.Server, IsolationFault.ModeUnavailable, problem, fix);
}
