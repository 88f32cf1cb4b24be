namespace Mcp.Guard.Policy;

/// <summary>Every place that a path names: its spelling, each spelling after a link on the way was followed, and the links themselves.</summary>
internal sealed class PathTrail
{
    /// <summary>More links than Linux follows in one path (path_resolution(7)): the rest is taken as it is spelled.</summary>
    private const int MaxLinks = 40;

    private static readonly StringComparison Comparison =
        OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    private PathTrail()
    {
    }

    /// <summary>The given spelling first, the physical path last.</summary>
    public List<string> Places { get; } = [];

    /// <summary>Absolute paths of the links that were followed.</summary>
    public List<string> Links { get; } = [];

    /// <summary>Follows an absolute path as far as it exists. Never throws for what the file system says.</summary>
    public static PathTrail Follow(string path)
    {
        var trail = new PathTrail();
        string current = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        trail.Places.Add(current);
        for (int links = 0; links < MaxLinks && FirstLink(current) is { } link; links++)
        {
            trail.Links.Add(link.Path);
            string rest = current[link.Path.Length..].TrimStart(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar);
            string target = Path.GetFullPath(link.Target, Path.GetDirectoryName(link.Path) ?? Path.GetPathRoot(link.Path)!);
            current = Path.TrimEndingDirectorySeparator(rest.Length == 0 ? target : Path.Combine(target, rest));
            trail.Places.Add(current);
        }

        return trail;
    }

    /// <summary>Whole segments, in the case rules of the system.</summary>
    public static bool IsSameOrBelow(string path, string folder)
    {
        if (!path.StartsWith(folder, Comparison))
        {
            return false;
        }

        return path.Length == folder.Length || Path.EndsInDirectorySeparator(folder) || path[folder.Length] == Path.DirectorySeparatorChar
            || path[folder.Length] == Path.AltDirectorySeparatorChar;
    }

    private static (string Path, string Target)? FirstLink(string path)
    {
        int at = Path.GetPathRoot(path)!.Length;
        while (at < path.Length)
        {
            int end = path.AsSpan(at).IndexOfAny(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar);
            string part = end < 0 ? path : path[..(at + end)];
            try
            {
                if (new FileInfo(part).LinkTarget is { Length: > 0 } target)
                {
                    return (part, target);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }

            if (end < 0)
            {
                break;
            }

            at += end + 1;
        }

        return null;
    }
}
