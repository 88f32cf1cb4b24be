namespace Mcp.Guard.Isolation;

/// <summary>Lexical relations between resolved paths, whole components only, case kept (Linux).</summary>
internal static class HostPaths
{
    /// <summary>Whether a path is a folder or lies somewhere under it.</summary>
    public static bool IsAtOrUnder(string path, string folder)
    {
        string top = folder.TrimEnd('/');
        return path.StartsWith(top, StringComparison.Ordinal) && (path.Length == top.Length || path[top.Length] == '/' || top.Length == 0);
    }

    /// <summary>The folder a path lies in; the root for the root.</summary>
    public static string Parent(string path)
    {
        int slash = path.LastIndexOf('/');
        return slash <= 0 ? "/" : path[..slash];
    }

    /// <summary>Removes empty, "." and ".." components without looking at files.</summary>
    public static string Normalize(string path)
    {
        var parts = new List<string>();
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("." or ".."))
            {
                parts.Add(part);
            }
        }

        return "/" + string.Join('/', parts);
    }
}
