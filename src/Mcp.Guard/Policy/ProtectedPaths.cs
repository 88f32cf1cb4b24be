namespace Mcp.Guard.Policy;

/// <summary>
/// The guard's own files: policy, audit, pins, grants, checkpoints, keys. No root and no writable mount of a server may hold one, nor lie in a folder of
/// the guard's, whether by its spelling or by where its links lead; every link on the way counts as one of the files, because who replaces it
/// moves what lies behind. A second hard link to one is recognised when a call names it; a bind mount of the host is not.
/// </summary>
internal sealed class ProtectedPaths
{
    /// <summary>Files of the guard's own folders that are compared with a file of several names; where there are more, such a file is refused.</summary>
    private const int MaxCompared = 10_000;

    private readonly Location[] _locations;

    public ProtectedPaths(IEnumerable<ProtectedPath> paths)
    {
        Paths = [.. paths];
        var locations = new List<Location>();
        foreach (ProtectedPath path in Paths)
        {
            PathTrail trail = PathTrail.Follow(path.Path);
            foreach (string visited in trail.Links)
            {
                locations.Add(new(path, visited, IsDirectory: false));
            }

            foreach (string place in trail.Places)
            {
                locations.Add(new(path, place, path.IsDirectory));
            }
        }

        _locations = [.. locations.Distinct()];
    }

    public IReadOnlyList<ProtectedPath> Paths { get; }

    /// <summary>
    /// True for a path that is one of the guard's files, lies in one of its folders, or holds one (who moves that folder moves the file).
    /// </summary>
    /// <param name="path">Absolute, without dots; both its spelling and where its links lead should be asked.</param>
    public bool IsProtected(string path)
    {
        path = Path.TrimEndingDirectorySeparator(path);
        foreach (Location location in _locations)
        {
            if (PathTrail.IsSameOrBelow(location.Path, path) || PathTrail.IsSameOrBelow(path, location.Path))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// True for an existing file that is one of the guard's under another name (a hard link), which no path shows. Costs a system call; more only for a file
    /// of several names.
    /// </summary>
    public bool IsSecondName(string path)
    {
        if (Paths.Count == 0 || !FileIdentity.TryRead(path, out FileIdentity file, out uint names) || names < 2)
        {
            return false;
        }

        int compared = 0;
        try
        {
            foreach (string own in Paths.SelectMany(FilesOf))
            {
                if (++compared > MaxCompared || (FileIdentity.TryRead(own, out FileIdentity identity, out _) && identity == file))
                {
                    return true;
                }
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return true; // its own folder cannot be read: nothing shows that the file is another one
        }

        return false;
    }

    private static IEnumerable<string> FilesOf(ProtectedPath path) => !path.IsDirectory ? [path.Path]
        : Directory.Exists(path.Path) ? Directory.EnumerateFiles(path.Path, "*", SearchOption.AllDirectories)
        : [];

    /// <summary>The file or folder of the guard's that a root or writable mount would expose, or null.</summary>
    /// <param name="folder">Absolute path of the root or mount.</param>
    public ProtectedPath? ExposedBy(string folder)
    {
        PathTrail trail = PathTrail.Follow(folder);
        foreach (string place in trail.Places)
        {
            foreach (Location location in _locations)
            {
                // A folder beside the policy file cannot touch it; a folder inside the audit can.
                if (PathTrail.IsSameOrBelow(location.Path, place) || (location.IsDirectory && PathTrail.IsSameOrBelow(place, location.Path)))
                {
                    return location.Origin;
                }
            }
        }

        return null;
    }

    private sealed record Location(ProtectedPath Origin, string Path, bool IsDirectory);
}
