using Mcp.Guard.Isolation.Launch;

namespace Mcp.Guard.Isolation;

/// <summary>The files of this machine.</summary>
internal sealed class LocalFiles : IHostFiles
{
    // The kernel's own bound for links in one path (ELOOP).
    private const int MostLinks = 40;

    public static LocalFiles Instance { get; } = new();

    public HostFile? Resolve(string path)
    {
        if (!Path.IsPathFullyQualified(path) || path.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            var linkFolders = new List<string>();
            string? resolved = Follow(Path.GetFullPath(path), linkFolders);
            return resolved is null ? null : Describe(resolved, linkFolders);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? Follow(string path, List<string> linkFolders)
    {
        string root = Path.GetPathRoot(path)!;
        string done = root;
        var waiting = new Stack<string>();
        Push(waiting, path[root.Length..]);
        for (int links = 0; waiting.TryPop(out string? name);)
        {
            if (name == "..")
            {
                done = Path.GetDirectoryName(done) ?? root;
                continue;
            }

            string next = Path.Combine(done, name);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                done = next;
                continue;
            }

            if (++links > MostLinks)
            {
                return null;
            }

            linkFolders.Add(done);
            if (Path.IsPathRooted(target))
            {
                done = Path.GetPathRoot(target)!;
                target = target[done.Length..];
            }

            Push(waiting, target);
        }

        return done;
    }

    private static void Push(Stack<string> waiting, string relative)
    {
        string[] names = relative.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        for (int i = names.Length - 1; i >= 0; i--)
        {
            if (names[i] != ".")
            {
                waiting.Push(names[i]);
            }
        }
    }

    private static HostFile? Describe(string path, IReadOnlyList<string> linkFolders)
    {
        if (OperatingSystem.IsLinux())
        {
            return LinuxFileStatus.TryRead(path, out HostFileKind kind, out JailUser owner, out UnixFileMode mode)
                ? new HostFile(path, kind, owner, mode, linkFolders)
                : null;
        }

        return Directory.Exists(path) ? new HostFile(path, HostFileKind.Folder, null, null, linkFolders)
            : File.Exists(path) ? new HostFile(path, HostFileKind.File, null, null, linkFolders)
            : null;
    }
}
