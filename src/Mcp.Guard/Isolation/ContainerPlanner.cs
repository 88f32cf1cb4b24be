using System.Buffers;
using System.Globalization;

namespace Mcp.Guard.Isolation;

/// <summary>Plans a start in a container: the argument list for docker or podman, one value an argument, no shell.</summary>
internal static class ContainerPlanner
{
    private const long MostSharedMemory = 8L << 20;
    private const long LeastTemp = 4096;
    private const int DigestLength = 64;
    private const string Docker = "docker";
    private const string Podman = "podman";

    private static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789abcdef");

    // Variables that the engine's client reads itself; a secret under such a name cannot be passed through it.
    private static readonly string[] s_clientNames = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "GODEBUG", "GOTRACEBACK", "REGISTRY_AUTH_FILE"];
    private static readonly string[] s_clientPrefixes = ["DOCKER_", "CONTAINER", "PODMAN_", "BUILDAH_", "STORAGE_", "XDG_", "SSL_CERT_", "DBUS_", "NETAVARK_"];

    public static IsolationPlan Create(IsolationOptions options, IsolationHost host)
    {
        bool podman = options.Engine == Podman || (options.Engine is null && host.Docker is null);
        string engine = (podman ? host.Podman : host.Docker)
            ?? throw new IsolationException(
                options.Server,
                IsolationFault.ModeUnavailable,
                options.Engine is null ? "neither docker nor podman is installed" : $"{options.Engine}, which isolation.engine names, is not installed",
                options.Engine is null ? "Install one of them, or choose isolation.mode \"bubblewrap\"" : "Install it, or take isolation.engine out of the policy to use the other engine");
        if (options.Engine is not (null or Docker or Podman))
        {
            throw new IsolationException(options.Server, IsolationFault.InvalidOptions, "isolation.engine is not a known engine", "Write docker or podman, or leave it out");
        }

        string image = CheckImage(options);
        JailUser user = JailUser.TryParse(options.User, out JailUser named) ? named : host.IsLinux && !host.IsRoot ? host.User : JailUser.Nobody;
        if (user.User == 0)
        {
            throw new IsolationException(options.Server, IsolationFault.InvalidOptions, "isolation.user is root", "Choose another user");
        }

        MountPlan mounts = MountPlanner.Create(options, host, host.IsRoot ? user : null, [], []);
        string name = ContainerName(options);
        List<string> arguments = ["run", "--rm", "--interactive", "--init", "--pull", "never", "--log-driver", "none"];
        arguments.AddRange(["--name", name, "--label", $"mcp-guard.server={options.Server}", "--label", $"mcp-guard.instance={options.InstanceId}", "--hostname", "mcp-guard"]);
        arguments.AddRange(["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--ipc", "private", "--cgroupns", "private"]);
        arguments.AddRange(["--network", options.Network == IsolationNetwork.Host ? podman ? "private" : "bridge" : "none"]);
        arguments.AddRange(["--user", user.ToString()]);
        if (podman && !host.IsRoot)
        {
            arguments.AddRange(["--userns", "keep-id"]);
        }

        AddLimits(arguments, options);
        AddMounts(arguments, options, mounts);
        List<IsolationVariable> client = AddEnvironment(arguments, options, host, out List<IsolationVariable> inside);
        arguments.AddRange(["--workdir", options.WorkingDirectory ?? "/tmp", "--entrypoint", options.Executable, image]);
        arguments.AddRange(options.Arguments);
        return new IsolationPlan
        {
            Server = options.Server,
            InstanceId = options.InstanceId,
            Mode = IsolationMode.Container,
            Executable = engine,
            Arguments = arguments,
            Environment = client,
            ServerEnvironment = inside,
            WorkingDirectory = host.IsWindows ? null : "/",
            CleanUp = new PlannedCommand(engine, ["rm", "--force", name]),
            Controls = CreateControls(options, user),
        };
    }

    // A tag can be moved to another image after the policy was written; a digest cannot.
    private static string CheckImage(IsolationOptions options)
    {
        const string Mark = "@sha256:";
        string image = options.Image ?? "";
        int at = image.IndexOf(Mark, StringComparison.Ordinal);
        bool named = at > 0 && char.IsAsciiLetterOrDigit(image[0]);
        foreach (char c in at > 0 ? image.AsSpan(0, at) : default)
        {
            named &= char.IsAsciiLetterOrDigit(c) || "._-/:".Contains(c, StringComparison.Ordinal);
        }

        ReadOnlySpan<char> digest = at > 0 ? image.AsSpan(at + Mark.Length) : default;
        return named && digest.Length == DigestLength && digest.IndexOfAnyExcept(s_hexDigits) < 0
            ? image
            : throw new IsolationException(options.Server, IsolationFault.InvalidOptions, "isolation.image is not an image by digest", "Write it as name@sha256:<64 hexadecimal digits>");
    }

    private static string ContainerName(IsolationOptions options)
    {
        Span<char> name = options.Server.Length <= 40 ? options.Server.ToCharArray() : options.Server[..40].ToCharArray();
        foreach (ref char c in name)
        {
            c = char.IsAsciiLetterOrDigit(c) ? c : '-';
        }

        return $"mcp-guard-{name}-{options.InstanceId}";
    }

    private static void AddLimits(List<string> arguments, IsolationOptions options)
    {
        if (options.Processes is { } processes)
        {
            arguments.AddRange(["--pids-limit", Text(processes)]);
        }

        if (options.Memory is { } memory)
        {
            // The same value for both means no swap.
            arguments.AddRange(["--memory", $"{Text(memory)}b", "--memory-swap", $"{Text(memory)}b"]);
        }

        if (options.Cpus is { } cpus)
        {
            arguments.AddRange(["--cpus", cpus.ToString("0.###", CultureInfo.InvariantCulture)]);
        }

        arguments.AddRange(["--ulimit", "core=0:0"]);
        if (options.OpenFiles is { } files)
        {
            arguments.AddRange(["--ulimit", $"nofile={Text(files)}:{Text(files)}"]);
        }

        if (options.FileSize is { } size)
        {
            arguments.AddRange(["--ulimit", $"fsize={Text(size)}:{Text(size)}"]);
        }

        arguments.AddRange(["--shm-size", $"{Text(Math.Clamp(options.Temp, LeastTemp, MostSharedMemory))}b"]);
        arguments.AddRange(["--tmpfs", $"/tmp:rw,nosuid,nodev,noexec,size={Text(Math.Max(options.Temp, LeastTemp))},mode=1777"]);
    }

    private static void AddMounts(List<string> arguments, IsolationOptions options, MountPlan plan)
    {
        foreach (BindMount mount in plan.Mounts)
        {
            CheckField(options, mount.Source);
            CheckField(options, mount.Target);
            arguments.AddRange(["--mount", $"type=bind,source={mount.Source},target={mount.Target}{(mount.Writable ? "" : ",readonly")}"]);
        }

        foreach (string mask in plan.Masks)
        {
            CheckField(options, mask);
            arguments.AddRange(["--mount", $"type=tmpfs,target={mask},tmpfs-size={Text(LeastTemp)},tmpfs-mode=0000"]);
        }
    }

    // The engines split the value at commas as CSV.
    private static void CheckField(IsolationOptions options, string path)
    {
        if (path.AsSpan().IndexOfAny("\",\r\n") >= 0)
        {
            throw new IsolationException(options.Server, IsolationFault.InvalidOptions, $"{Printable.Quote(path)} cannot be written as a container mount", "Use a path without commas, quotes and line breaks");
        }
    }

    private static List<IsolationVariable> AddEnvironment(List<string> arguments, IsolationOptions options, IsolationHost host, out List<IsolationVariable> inside)
    {
        var client = new List<IsolationVariable> { new("PATH", EnvironmentBuilder.SystemPath) };
        if (host.HomeFolder is not null)
        {
            client.Add(new("HOME", host.HomeFolder));
        }

        if (host.IsLinux && !host.IsRoot)
        {
            client.Add(new("XDG_RUNTIME_DIR", $"/run/user/{host.User.User.ToString(CultureInfo.InvariantCulture)}"));
        }

        var environment = new EnvironmentBuilder(options.Environment);
        environment.AddDefault("HOME", "/tmp");
        environment.AddDefault("TMPDIR", "/tmp");
        inside = environment.ToList();
        foreach (IsolationVariable variable in inside)
        {
            if (!variable.Secret)
            {
                arguments.AddRange(["--env", $"{variable.Name}={variable.Value}"]);
                continue;
            }

            // Other users can read command lines: the client takes a secret from its own environment.
            if (IsClientName(variable.Name))
            {
                throw new IsolationException(options.Server, IsolationFault.InvalidOptions, $"the secret variable {variable.Name} would steer the container engine's client", "Give the secret under another name, or choose isolation.mode \"bubblewrap\"");
            }

            arguments.AddRange(["--env", variable.Name]);
            client.Add(variable);
        }

        return client;
    }

    private static bool IsClientName(string name) =>
        LoaderVariables.Is(name)
        || s_clientNames.Contains(name, StringComparer.Ordinal)
        || name.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase)
        || Array.Exists(s_clientPrefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    private static List<IsolationControlStatus> CreateControls(IsolationOptions options, JailUser user)
    {
        const string NoLimit = "the policy sets no limit";
        var report = new ControlReport();
        report.InForce(IsolationControls.CleanEnvironment, "the image's variables and those of the policy");
        report.InForce(IsolationControls.Descriptors, "the engine passes on 0 to 2 only");
        report.InForce(IsolationControls.ProcessTree, "the container is removed");
        report.NotInForce(IsolationControls.DiesWithHost, "the engine owns the container: when the host is killed its input closes; a server that ignores that is found by the label mcp-guard.server");
        report.InForce(IsolationControls.FileSystem, "the image read-only, and the listed folders");
        report.InForce(IsolationControls.GuardFiles, "outside the container, or covered");
        report.InForce(IsolationControls.PrivateTemp, $"{Text(Math.Max(options.Temp, LeastTemp))} bytes");
        report.Add(IsolationControls.Network, options.Network != IsolationNetwork.Host, "an own loopback only", "the policy gives it a network, through the engine's bridge");
        report.InForce(IsolationControls.Processes, "a process namespace of its own");
        report.InForce(IsolationControls.HostObjects, "namespaces of its own");
        report.InForce(IsolationControls.Privileges, $"user {user}, no capabilities, no new privileges");
        report.InForce(IsolationControls.SystemCalls, "the engine's default filter");
        report.InForce(IsolationControls.NestedNamespaces, "refused by the engine's default filter");
        report.Limit(IsolationControls.ProcessMemory, options.Memory, true, "bytes", NoLimit);
        report.Limit(IsolationControls.TotalMemory, options.Memory, true, "bytes together", NoLimit);
        report.Limit(IsolationControls.MemoryWatch, options.Memory, true, "bytes together, held by the engine", NoLimit);
        report.Limit(IsolationControls.Cpus, options.Cpus is { } cpus ? (long)Math.Ceiling(cpus) : null, true, "processors at most, by time", NoLimit);
        report.Limit(IsolationControls.ProcessCount, options.Processes, true, "processes and threads", NoLimit);
        report.Limit(IsolationControls.OpenFiles, options.OpenFiles, true, "in each process", NoLimit);
        report.Limit(IsolationControls.FileSize, options.FileSize, true, "bytes a file", NoLimit);
        return report.ToList();
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
