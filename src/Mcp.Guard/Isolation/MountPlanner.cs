namespace Mcp.Guard.Isolation;

/// <summary>
/// Decides what of the host a box may show: sources exist and are files or folders, no link on the way lies where a server can change
/// it, nothing is so broad that it shows the host itself, and the guard's own files are out of reach.
/// </summary>
internal sealed class MountPlanner
{
    private static readonly string[] s_neverShown = ["/proc", "/sys", "/dev", "/run", "/var/run"];
    private static readonly string[] s_neverWritable = ["/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/boot"];

    private readonly IsolationOptions _options;
    private readonly IsolationHost _host;
    private readonly JailUser? _user;
    private readonly List<string> _writableByServers = [];
    private readonly List<GuardPath> _guardPaths = [];
    private readonly SortedDictionary<string, BindMount> _mounts = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _masks = new(StringComparer.Ordinal);

    private MountPlanner(IsolationOptions options, IsolationHost host, JailUser? user)
    {
        _options = options;
        _host = host;
        _user = user;
        foreach (string path in options.WritableByAnyServer.Concat(options.Writable))
        {
            _writableByServers.Add(host.Files.Resolve(path)?.Path ?? HostPaths.Normalize(path));
        }

        foreach (string path in options.GuardPaths)
        {
            _guardPaths.Add(Locate(path));
        }
    }

    /// <summary>Plans the binds.</summary>
    /// <param name="options">What the policy lists.</param>
    /// <param name="host">The machine.</param>
    /// <param name="user">The host's user the server runs as, who must be able to use what is bound; null where that is not known.</param>
    /// <param name="preset">What the interpreter needs to read.</param>
    /// <param name="system">What every box shows of the system.</param>
    public static MountPlan Create(IsolationOptions options, IsolationHost host, JailUser? user, IReadOnlyList<string> preset, IReadOnlyList<string> system)
    {
        var planner = new MountPlanner(options, host, user);
        planner.CheckSystem(system);
        foreach (string path in preset.Concat(options.Readable))
        {
            planner.Add(path, writable: false);
        }

        if (options.Package is { } package)
        {
            planner.Add(package, writable: false, isPackage: true);
        }

        foreach (string path in options.Writable)
        {
            planner.Add(path, writable: true);
        }

        // Ordinal order puts a folder before what lies in it, so inner mounts are not covered by outer ones.
        return new MountPlan([.. planner._mounts.Values], [.. planner._masks]);
    }

    private void Add(string path, bool writable, bool isPackage = false)
    {
        string target = HostPaths.Normalize(path);
        HostFile source = _host.Files.Resolve(path)
            ?? throw Refused($"{path} does not exist or cannot be reached", "Make it, or take it out of the policy's readable and writable lists");
        if (source.Kind == HostFileKind.Special)
        {
            throw Refused($"{path} is a socket, pipe or device", "List files and folders only; no host socket is shown to a server");
        }

        foreach (string folder in source.LinkFolders)
        {
            if (_writableByServers.Exists(open => HostPaths.IsAtOrUnder(folder, open)))
            {
                throw Refused($"{path} leads through a link in {folder}, which a server can change", $"List the place it leads to itself, or remove the link");
            }
        }

        CheckBreadth(path, source.Path, writable);
        CheckGuardPaths(path, source, writable, isPackage);
        CheckAccess(path, source, writable);
        bool isFolder = source.Kind == HostFileKind.Folder;
        Put(new BindMount(source.Path, target, writable, isFolder));
        if (source.Path != target)
        {
            // Programs resolve the paths they are given; both spellings lead to the same place inside.
            Put(new BindMount(source.Path, source.Path, writable, isFolder));
        }
    }

    private void Put(BindMount mount)
    {
        if (!_mounts.TryGetValue(mount.Target, out BindMount? present) || !present.Writable)
        {
            _mounts[mount.Target] = mount;
        }
    }

    private void CheckBreadth(string path, string resolved, bool writable)
    {
        bool shown = resolved == "/" || Array.Exists(s_neverShown, folder => HostPaths.IsAtOrUnder(resolved, folder) || HostPaths.IsAtOrUnder(folder, resolved));
        bool home = _host.HomeFolder is { Length: > 1 } folder && HostPaths.IsAtOrUnder(_host.Files.Resolve(folder)?.Path ?? folder, resolved);
        bool system = writable && Array.Exists(s_neverWritable, folder => HostPaths.IsAtOrUnder(resolved, folder) || HostPaths.IsAtOrUnder(folder, resolved));
        if (shown || home || system)
        {
            string what = home ? "the home folder of the host's user" : system ? "system folders that stay read-only" : "kernel interfaces or sockets of the host";
            throw Refused($"{path} holds or lies in {what}", "List the folders the server needs one by one");
        }
    }

    private void CheckGuardPaths(string path, HostFile source, bool writable, bool isPackage)
    {
        foreach (GuardPath own in _guardPaths)
        {
            bool inside = HostPaths.IsAtOrUnder(own.Path, source.Path);
            if (isPackage && !inside)
            {
                continue; // the package lies in a folder of the guard's; nothing else of that folder is shown
            }

            if (!inside && !(own.IsFolder && HostPaths.IsAtOrUnder(source.Path, own.Path)))
            {
                continue;
            }

            // A mask over a file is lost when the file is replaced, so folders are masked; and in a folder that the server may change
            // it could move the masked folder's parents away.
            if (!inside || writable || own.Folder == source.Path || own.Path == source.Path || !own.Exists)
            {
                throw Exposed(path, own);
            }

            _masks.Add(own.Folder);
            string target = HostPaths.Normalize(path);
            if (target != source.Path)
            {
                _masks.Add(target + own.Folder[source.Path.Length..]);
            }
        }
    }

    // The system's folders are not masked: a guard's file has no business there.
    private void CheckSystem(IReadOnlyList<string> system)
    {
        foreach (string folder in system)
        {
            string resolved = _host.Files.Resolve(folder)?.Path ?? folder;
            if (_guardPaths.Find(own => HostPaths.IsAtOrUnder(own.Path, resolved)) is { } exposed)
            {
                throw Exposed(folder, exposed);
            }
        }
    }

    private void CheckAccess(string path, HostFile source, bool writable)
    {
        if (_user is not { } user)
        {
            return;
        }

        // bwrap finds a bound folder by its path, also where it is handed over open.
        for (string folder = HostPaths.Parent(source.Path); _options.Mode == IsolationMode.Bubblewrap && folder != "/"; folder = HostPaths.Parent(folder))
        {
            if (_host.Files.Resolve(folder) is { } found && !found.IsSearchableBy(user))
            {
                throw Refused(
                    $"user {user}, which it runs as, may not go through {folder} to {path}",
                    path == _options.Package
                        ? "Name a \"packageStore\" in the policy whose folders that user may search (chmod o+x), or set isolation.user to one that may"
                        : "Give that user the right to search the folder (chmod o+x), or set isolation.user to one that has it");
            }
        }

        if (!(writable ? source.IsWritableBy(user) : source.IsReadableBy(user)))
        {
            throw Refused(
                $"user {user}, which it runs as, may not {(writable ? "change" : "read")} {path}",
                "Give that user the right to it (chown, chmod), or set isolation.user to one that has it");
        }
    }

    private GuardPath Locate(string path)
    {
        // A file that is not there yet lies in the nearest folder that is.
        string normal = HostPaths.Normalize(path);
        for (string there = normal; ; there = HostPaths.Parent(there))
        {
            if (_host.Files.Resolve(there) is { } found)
            {
                bool exists = there == normal;
                string resolved = exists ? found.Path : found.Path.TrimEnd('/') + normal[(there.Length == 1 ? 0 : there.Length)..];
                bool isFolder = exists && found.Kind == HostFileKind.Folder;
                return new GuardPath(resolved, isFolder ? resolved : HostPaths.Parent(resolved), isFolder, exists);
            }

            if (there == "/")
            {
                return new GuardPath(normal, HostPaths.Parent(normal), false, false);
            }
        }
    }

    private IsolationException Exposed(string path, GuardPath own) => new(
        _options.Server,
        IsolationFault.GuardFilesExposed,
        $"{path} would put {own.Path}, a file of the guard, within its reach",
        "Move the guard's file to a folder of its own outside what servers can see, or list narrower folders");

    private IsolationException Refused(string problem, string fix) => new(_options.Server, IsolationFault.SourceRefused, problem, fix);

    private sealed record GuardPath(string Path, string Folder, bool IsFolder, bool Exists);
}
