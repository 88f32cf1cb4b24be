using Mcp.Guard.Unicode;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>The path of a URL as an allowlist entry with a path judges it (U8).</summary>
internal static class UrlPath
{
    /// <summary>As many rounds of percent-encoding, or more, are refused.</summary>
    private const int MaxRounds = 8;

    /// <summary>
    /// False where a server could read another path: an escape that yields a dot, a slash, a backslash or NUL in any round, a malformed one,
    /// or a dot segment with a parameter.
    /// </summary>
    public static bool IsUnambiguous(ReadOnlySpan<char> path)
    {
        if (HasDotParameter(path))
        {
            return false;
        }

        if (!path.Contains('%'))
        {
            return true;
        }

        for (int i = path.IndexOf('%'); i < path.Length; i++)
        {
            if (path[i] == '%' && !PercentDecoding.TryReadByte(path[i..], out _))
            {
                return false;
            }
        }

        string text = path.ToString();
        for (int round = 0; round < MaxRounds; round++)
        {
            string decoded = PercentDecoding.DecodeOnce(text);
            if (ReferenceEquals(decoded, text))
            {
                return true;
            }

            if (CountSyntax(decoded) != CountSyntax(text) || HasDotParameter(decoded))
            {
                return false;
            }

            text = decoded;
        }

        return false;
    }

    /// <summary>Removes dot segments (RFC 3986 section 5.2.4); returns the path itself where it has none, else the part of the buffer used.</summary>
    public static ReadOnlySpan<char> RemoveDots(ReadOnlySpan<char> path, Span<char> buffer)
    {
        if (!path.Contains("/.", StringComparison.Ordinal))
        {
            return path;
        }

        int length = 0;
        ReadOnlySpan<char> rest = path;
        while (!rest.IsEmpty)
        {
            // The path starts with a slash, and so does every rest.
            ReadOnlySpan<char> after = rest[1..];
            int end = after.IndexOf('/');
            ReadOnlySpan<char> segment = end < 0 ? after : after[..end];
            rest = end < 0 ? [] : after[end..];
            if (segment is "." or "..")
            {
                if (segment.Length == 2)
                {
                    length = Math.Max(0, buffer[..length].LastIndexOf('/'));
                }

                if (rest.IsEmpty)
                {
                    buffer[length++] = '/';
                }

                continue;
            }

            buffer[length++] = '/';
            segment.CopyTo(buffer[length..]);
            length += segment.Length;
        }

        return buffer[..length];
    }

    private static int CountSyntax(ReadOnlySpan<char> text) => text.Count('.') + text.Count('/') + text.Count('\\') + text.Count('\0');

    private static bool HasDotParameter(ReadOnlySpan<char> path)
    {
        int at = 0;
        while (true)
        {
            int found = path[at..].IndexOf('.');
            if (found < 0)
            {
                return false;
            }

            at += found;
            bool starts = at == 0 || path[at - 1] == '/';
            int after = at + 1 < path.Length && path[at + 1] == '.' ? at + 2 : at + 1;
            if (starts && after < path.Length && path[after] == ';')
            {
                return true;
            }

            at = after;
        }
    }
}
