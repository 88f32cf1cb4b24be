using System.Globalization;

namespace Mcp.Guard.Isolation;

/// <summary>Plans a start without a box: what can be had without one is had, all else is reported as not in force.</summary>
internal static class NonePlanner
{
    /// <summary>The environment variable by which left-over processes of a server are recognised.</summary>
    public const string MarkName = "MCP_GUARD_INSTANCE";

    public static IsolationPlan Create(IsolationOptions options, IsolationHost host)
    {
        if (options.Readable.Count + options.Writable.Count > 0 && options.Required.Contains(IsolationControls.FileSystem, StringComparer.Ordinal))
        {
            throw new IsolationException(options.Server, IsolationFault.ControlUnavailable, "mode none cannot hold it to its readable and writable folders", "Choose isolation.mode \"bubblewrap\" or \"container\"");
        }

        if (host.Files.Resolve(options.Executable) is not { Kind: HostFileKind.File })
        {
            throw new IsolationException(options.Server, IsolationFault.SourceRefused, $"{options.Executable} does not exist or is not a file", "Install it, or correct the server's command");
        }

        var command = new List<string>();
        JailUser? user = AddPrivileges(command, options, host);
        bool wrapped = host.IsLinux;
        if (host.IsLinux)
        {
            command.AddRange(LimitArguments.ForProcessors(options, host));
            command.AddRange(LimitArguments.Create(options, host, countProcesses: false));
        }

        command.Add(options.Executable);
        command.AddRange(options.Arguments);
        if (wrapped && command.Count > options.Arguments.Count + 1)
        {
            LoaderVariables.Refuse(options, "mode none starts it through setpriv and prlimit");
        }

        IReadOnlyList<IsolationVariable> environment = CreateEnvironment(options, host);
        return new IsolationPlan
        {
            Server = options.Server,
            InstanceId = options.InstanceId,
            Mode = IsolationMode.None,
            Executable = command[0],
            Arguments = command[1..],
            Environment = environment,
            ServerEnvironment = environment,
            WorkingDirectory = options.WorkingDirectory,
            FolderOwner = user,
            Controls = CreateControls(options, host),
        };
    }

    private static JailUser? AddPrivileges(List<string> command, IsolationOptions options, IsolationHost host)
    {
        bool change = JailUser.TryParse(options.User, out JailUser user) && user != host.User;
        if (change && (!host.IsLinux || !host.IsRoot || host.SetPrivileges is null))
        {
            throw new IsolationException(
                options.Server,
                IsolationFault.ControlUnavailable,
                $"it cannot be run as user {options.User}",
                "Run the host as root on Linux with util-linux installed (setpriv), or take isolation.user out of the policy");
        }

        if (host.IsLinux && host.SetPrivileges is not null)
        {
            command.Add(host.SetPrivileges);
            if (change)
            {
                command.AddRange([
                    $"--reuid={user.User.ToString(CultureInfo.InvariantCulture)}",
                    $"--regid={user.Group.ToString(CultureInfo.InvariantCulture)}",
                    "--clear-groups"]);
            }

            command.AddRange(["--no-new-privs", "--pdeathsig", "KILL", "--"]);
        }

        return change ? user : null;
    }

    private static List<IsolationVariable> CreateEnvironment(IsolationOptions options, IsolationHost host)
    {
        string folder = options.WorkingDirectory ?? PrivateFolder.Mark;
        var environment = new EnvironmentBuilder(options.Environment);
        if (host.IsWindows)
        {
            // Windows programs do not start without these two, which tell nothing secret.
            string system = Environment.GetFolderPath(Environment.SpecialFolder.Windows);
            environment.AddDefault("SystemRoot", system);
            environment.AddDefault("PATH", $@"{system}\System32;{system}");
            environment.AddDefault("TEMP", folder);
            environment.AddDefault("TMP", folder);
            environment.AddDefault("USERPROFILE", folder);
        }
        else
        {
            environment.AddDefault("PATH", EnvironmentBuilder.SystemPath);
            environment.AddDefault("LANG", "C.UTF-8");
            environment.AddDefault("HOME", folder);
            environment.AddDefault("TMPDIR", folder);
        }

        return environment.With(MarkName, options.InstanceId);
    }

    // Nothing here can mask them, so the least is to say which ones the server's user holds in its hand.
    private static string Exposed(IsolationOptions options, IsolationHost host)
    {
        const int MostNamed = 8;
        JailUser user = JailUser.TryParse(options.User, out JailUser named) ? named : host.User;
        List<string> changeable = [.. options.GuardPaths.Where(path => IsChangeableBy(path, user, host)).Order(StringComparer.Ordinal)];
        if (changeable.Count == 0)
        {
            return "it reads the guard's files where its user may; it can change none of them";
        }

        string more = changeable.Count > MostNamed ? string.Create(CultureInfo.InvariantCulture, $" and {changeable.Count - MostNamed} more") : string.Empty;
        return $"its user can change the guard's own {string.Join(", ", changeable.Take(MostNamed).Select(path => Printable.Quote(path)))}{more}";
    }

    // A file is changed by writing to it, or by putting another one in its place.
    private static bool IsChangeableBy(string path, JailUser user, IsolationHost host)
    {
        if (user.User == 0 || host.IsWindows)
        {
            return true;
        }

        string place = HostPaths.Normalize(path);
        if (host.Files.Resolve(place) is { } found)
        {
            return found.IsWritableBy(user) || host.Files.Resolve(HostPaths.Parent(found.Path)) is not { } folder || folder.IsWritableBy(user);
        }

        // Not there yet: whoever may change the nearest folder that is may make it.
        while (place != "/")
        {
            place = HostPaths.Parent(place);
            if (host.Files.Resolve(place) is { } above)
            {
                return above.IsWritableBy(user);
            }
        }

        return true;
    }

    private static List<IsolationControlStatus> CreateControls(IsolationOptions options, IsolationHost host)
    {
        const string NoBox = "mode none has no box";
        bool limits = host.IsLinux && host.SetLimits is not null;
        string noLimits = host.IsLinux ? "prlimit of util-linux is not installed" : "only Linux has such limits here";
        bool death = host.IsLinux && host.SetPrivileges is not null;
        var report = new ControlReport();
        report.InForce(IsolationControls.CleanEnvironment, "only the variables of the policy and a few fixed ones");
        report.Add(IsolationControls.Descriptors, host.IsLinux || host.IsWindows, "only 0 to 2 are inherited", "descriptors the host itself inherited are passed on");
        report.NotInForce(IsolationControls.ProcessTree, "session, descendants and marked processes are ended; a process that leaves the session and hides its mark escapes");
        report.NotInForce(IsolationControls.DiesWithHost, death ? "the server itself dies with the host, processes it started may stay" : "nothing ends it when the host is killed; it sees its input close");
        report.NotInForce(IsolationControls.FileSystem, NoBox + ": it reads and writes what its user can");
        report.NotInForce(IsolationControls.GuardFiles, NoBox + ": " + Exposed(options, host));
        report.NotInForce(IsolationControls.PrivateTemp, "a private folder is named to it, without a size limit, and other folders stay in reach");
        report.NotInForce(IsolationControls.Network, NoBox + ": it has the host's network");
        report.NotInForce(IsolationControls.Processes, NoBox);
        report.NotInForce(IsolationControls.HostObjects, NoBox);
        report.NotInForce(IsolationControls.Privileges, host.IsRoot && options.User is null ? "it runs as root" : "it has the rights of its user");
        report.NotInForce(IsolationControls.SystemCalls, NoBox);
        report.NotInForce(IsolationControls.NestedNamespaces, NoBox);
        report.Limit(IsolationControls.ProcessMemory, options.Memory, limits, "bytes of private memory in each process", noLimits);
        report.NotInForce(IsolationControls.TotalMemory, "needs a box in a cgroup");
        report.NotInForce(IsolationControls.MemoryWatch, "without a box nobody knows which processes are its");
        report.Limit(IsolationControls.Cpus, options.Cpus is null ? null : 0, false, "", "a server without a box can undo it");
        report.NotInForce(IsolationControls.ProcessCount, "without a user namespace of its own all processes of the user count, and root is not bound");
        report.Limit(IsolationControls.OpenFiles, options.OpenFiles, limits, "in each process", noLimits);
        report.Limit(IsolationControls.FileSize, options.FileSize, limits, "bytes a file", noLimits);
        return report.ToList();
    }
}
