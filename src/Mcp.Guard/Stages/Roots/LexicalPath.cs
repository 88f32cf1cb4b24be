namespace Mcp.Guard.Stages.Roots;

/// <summary>Normalisation of absolute paths by their text alone: separators, dot segments, clamped at the top.</summary>
internal static class LexicalPath
{
    /// <summary>
    /// Writes the normal form of an absolute Unix path. The destination may be the source: no prefix of the output is longer than the input
    /// that made it. False where a segment consists of three or more dots.
    /// </summary>
    public static bool TryNormalizeUnix(ReadOnlySpan<char> absolute, Span<char> destination, out int length)
    {
        length = 0;
        int at = 0;
        while (at < absolute.Length)
        {
            if (absolute[at] == '/')
            {
                at++;
                continue;
            }

            ReadOnlySpan<char> rest = absolute[at..];
            int end = rest.IndexOf('/');
            ReadOnlySpan<char> segment = end < 0 ? rest : rest[..end];
            at += segment.Length;
            if (segment[0] == '.')
            {
                if (segment.Length == 1)
                {
                    continue;
                }

                if (segment is "..")
                {
                    length = Math.Max(0, destination[..length].LastIndexOf('/'));
                    continue;
                }

                if (!segment.ContainsAnyExcept('.'))
                {
                    return false;
                }
            }

            destination[length] = '/';
            segment.CopyTo(destination[(length + 1)..]);
            length += segment.Length + 1;
        }

        if (length == 0)
        {
            destination[0] = '/';
            length = 1;
        }

        return true;
    }

    /// <summary>What a Windows path starts with, and how many characters that takes.</summary>
    public static WindowsPrefix ReadWindowsPrefix(ReadOnlySpan<char> text, out int prefixLength)
    {
        prefixLength = 0;
        if (text.IsEmpty)
        {
            return WindowsPrefix.Relative;
        }

        if (IsSeparator(text[0]))
        {
            if (text.Length > 2 && text[1..].StartsWith("??", StringComparison.Ordinal) && (text.Length == 3 || IsSeparator(text[3])))
            {
                return WindowsPrefix.Device;
            }

            if (text.Length == 1 || !IsSeparator(text[1]))
            {
                return WindowsPrefix.Dependent;
            }

            ReadOnlySpan<char> rest = text[2..];
            int hostEnd = rest.IndexOfAny('/', '\\');
            ReadOnlySpan<char> host = hostEnd < 0 ? rest : rest[..hostEnd];
            if (host is "?" or ".")
            {
                return WindowsPrefix.Device;
            }

            ReadOnlySpan<char> afterHost = hostEnd < 0 ? [] : rest[(hostEnd + 1)..];
            int shareEnd = afterHost.IndexOfAny('/', '\\');
            ReadOnlySpan<char> share = shareEnd < 0 ? afterHost : afterHost[..shareEnd];
            if (host.IsEmpty || share.IsEmpty || share is "." or ".." || host is "..")
            {
                return WindowsPrefix.BrokenShare;
            }

            prefixLength = 2 + host.Length + 1 + share.Length;
            return WindowsPrefix.Share;
        }

        if (text.Length > 1 && text[1] == ':' && char.IsAsciiLetter(text[0]))
        {
            if (text.Length == 2 || !IsSeparator(text[2]))
            {
                return WindowsPrefix.Dependent;
            }

            prefixLength = 3;
            return WindowsPrefix.Drive;
        }

        return WindowsPrefix.Relative;
    }

    /// <summary>
    /// Writes the normal form of a Windows path whose prefix has been read; the drive letter becomes upper-case, everything else keeps its
    /// case. Dot-dot cannot climb above the drive or the share. The destination may be the source.
    /// </summary>
    public static void NormalizeWindows(ReadOnlySpan<char> absolute, WindowsPrefix prefix, int prefixLength, Span<char> destination, out int length)
    {
        int floor;
        if (prefix == WindowsPrefix.Drive)
        {
            destination[0] = char.ToUpperInvariant(absolute[0]);
            destination[1] = ':';
            floor = 2;
        }
        else
        {
            absolute[..prefixLength].CopyTo(destination);
            destination[..prefixLength].Replace('/', '\\');
            floor = prefixLength;
        }

        length = floor;
        int at = prefixLength;
        while (at < absolute.Length)
        {
            if (IsSeparator(absolute[at]))
            {
                at++;
                continue;
            }

            ReadOnlySpan<char> rest = absolute[at..];
            int end = rest.IndexOfAny('/', '\\');
            ReadOnlySpan<char> segment = end < 0 ? rest : rest[..end];
            at += segment.Length;
            if (segment is ".")
            {
                continue;
            }

            if (segment is "..")
            {
                length = floor + Math.Max(0, destination[floor..length].LastIndexOf('\\'));
                continue;
            }

            destination[length] = '\\';
            segment.CopyTo(destination[(length + 1)..]);
            length += segment.Length + 1;
        }

        if (prefix == WindowsPrefix.Drive && length == floor)
        {
            destination[length++] = '\\';
        }
    }

    /// <summary>True where a normalised path is a normalised root or lies below it: whole segments, case ignored only on Windows.</summary>
    public static bool IsInside(ReadOnlySpan<char> path, ReadOnlySpan<char> root, PathFlavor flavor)
    {
        StringComparison comparison = flavor == PathFlavor.Windows ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        if (!path.StartsWith(root, comparison))
        {
            return false;
        }

        // "/" and "C:\" end in their separator; every other root is followed by one.
        return path.Length == root.Length || PathRules.IsSeparator(root[^1], flavor) || PathRules.IsSeparator(path[root.Length], flavor);
    }

    private static bool IsSeparator(char c) => c is '/' or '\\';
}
