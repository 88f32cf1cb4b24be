using System.Text;

namespace Mcp.Guard.Stages.Roots;

/// <summary>
/// Resolves the longest existing part of an absolute path, link by link, as the kernel would; what does not exist is taken by its text.
/// </summary>
internal static class LinkWalker
{
    /// <summary>As many as Linux follows (path_resolution(7)).</summary>
    public const int MaxLinks = 40;

    /// <summary>Bounds the text still to be walked, which links can lengthen.</summary>
    private const int MaxPendingSegments = 64 * 1024;

    /// <summary>Resolves a path; false with a reason where it cannot be resolved.</summary>
    public static bool TryResolve(string absolute, PathFlavor flavor, LinkReader reader, out string resolved, out PathDenial denial)
    {
        resolved = string.Empty;
        var pending = new Stack<string>();
        if (!TryRestart(absolute, flavor, pending, out string top))
        {
            denial = PathDenial.Unreadable;
            return false;
        }

        char separator = flavor == PathFlavor.Windows ? '\\' : '/';
        var path = new StringBuilder(top);
        var starts = new Stack<int>(); // where each segment of the path begins, its separator included
        int links = 0;
        int existing = int.MaxValue; // number of leading segments that may exist
        while (pending.TryPop(out string? segment))
        {
            if (segment is ".")
            {
                continue;
            }

            if (segment is "..")
            {
                if (starts.TryPop(out int start))
                {
                    path.Length = start;
                    if (starts.Count <= existing)
                    {
                        existing = int.MaxValue;
                    }
                }

                continue;
            }

            int before = path.Length;
            path.Append(separator).Append(segment);
            starts.Push(before);
            if (starts.Count > existing)
            {
                continue;
            }

            if (path.Length > PathRules.MaxWindowsChars)
            {
                denial = PathDenial.TooLong;
                return false;
            }

            switch (reader.Read(path.ToString(), out string? target))
            {
                case LinkStatus.NotALink:
                    break;

                case LinkStatus.Missing:
                    existing = starts.Count - 1;
                    break;

                case LinkStatus.Link:
                    if (++links > MaxLinks)
                    {
                        denial = PathDenial.LinkLoop;
                        return false;
                    }

                    path.Length = before;
                    starts.Pop();
                    if (IsAbsolute(target!, flavor))
                    {
                        if (!TryRestart(target!, flavor, pending, out top))
                        {
                            denial = PathDenial.Unreadable;
                            return false;
                        }

                        path.Clear().Append(top);
                        starts.Clear();
                    }
                    else
                    {
                        PushSegments(target!, flavor, pending);
                    }

                    if (pending.Count > MaxPendingSegments)
                    {
                        denial = PathDenial.LinkLoop;
                        return false;
                    }

                    break;

                default:
                    denial = PathDenial.Unreadable;
                    return false;
            }
        }

        if (starts.Count == 0)
        {
            // Nothing below the top: "/" or "C:\"; a share stays as it is.
            if (flavor == PathFlavor.Unix || top.Length == 2)
            {
                path.Append(separator);
            }
        }

        resolved = path.ToString();
        denial = default;
        return true;
    }

    private static bool IsAbsolute(string target, PathFlavor flavor) => flavor == PathFlavor.Unix
        ? target[0] == '/'
        : LexicalPath.ReadWindowsPrefix(target, out _) != WindowsPrefix.Relative;

    /// <summary>Starts at the top of an absolute path: its top without a closing separator, its segments pending.</summary>
    private static bool TryRestart(string absolute, PathFlavor flavor, Stack<string> pending, out string top)
    {
        top = string.Empty;
        if (flavor == PathFlavor.Unix)
        {
            PushSegments(absolute, flavor, pending);
            return true;
        }

        // Junctions store their target as \??\C:\..., which the class library gives as \\?\C:\... or C:\...
        string text = absolute.StartsWith(@"\\?\", StringComparison.Ordinal) || absolute.StartsWith(@"\??\", StringComparison.Ordinal)
            ? absolute[4..]
            : absolute;
        WindowsPrefix prefix = LexicalPath.ReadWindowsPrefix(text, out int length);
        if (prefix is not (WindowsPrefix.Drive or WindowsPrefix.Share))
        {
            return false;
        }

        top = prefix == WindowsPrefix.Drive ? char.ToUpperInvariant(text[0]) + ":" : text[..length].Replace('/', '\\');
        PushSegments(text[length..], flavor, pending);
        return true;
    }

    private static void PushSegments(string text, PathFlavor flavor, Stack<string> pending)
    {
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            int at = flavor == PathFlavor.Windows ? rest.LastIndexOfAny('/', '\\') : rest.LastIndexOf('/');
            ReadOnlySpan<char> segment = rest[(at + 1)..];
            if (!segment.IsEmpty)
            {
                pending.Push(segment.ToString());
            }

            rest = at < 0 ? [] : rest[..at];
        }
    }
}
