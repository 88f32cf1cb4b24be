namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>Resolves the target of a redirect against the URL that answered (RFC 3986 section 5.2), without correcting anything.</summary>
internal static class UrlReference
{
    /// <summary>The base must be an absolute http or https URL. The result still has to be checked.</summary>
    public static bool TryResolve(string from, string reference, out string target)
    {
        target = string.Empty;
        int authority = from.IndexOf("://", StringComparison.Ordinal);
        if (authority < 0 || reference.Length is 0 or > UrlParser.MaxLength || reference.Contains('\\', StringComparison.Ordinal))
        {
            return false;
        }

        ReadOnlySpan<char> rest = from.AsSpan(authority + 3);
        int pathStart = rest.IndexOfAny('/', '?');
        ReadOnlySpan<char> origin = pathStart < 0 ? from : from.AsSpan(0, authority + 3 + pathStart);
        ReadOnlySpan<char> path = pathStart < 0 ? [] : rest[pathStart..];
        int query = path.IndexOf('?');
        path = query < 0 ? path : path[..query];
        if (HasScheme(reference))
        {
            target = reference;
        }
        else if (reference.StartsWith("//", StringComparison.Ordinal))
        {
            target = string.Concat(from.AsSpan(0, authority + 1), reference);
        }
        else if (reference[0] == '/')
        {
            target = string.Concat(origin, reference);
        }
        else if (reference[0] is '?' or '#')
        {
            target = string.Concat(origin, path, reference);
        }
        else
        {
            int last = path.LastIndexOf('/');
            target = string.Concat(origin, last < 0 ? "/" : path[..(last + 1)], reference);
        }

        return true;
    }

    private static bool HasScheme(ReadOnlySpan<char> reference)
    {
        int end = reference.IndexOfAny(":/?#");
        if (end <= 0 || reference[end] != ':' || !char.IsAsciiLetter(reference[0]))
        {
            return false;
        }

        foreach (char c in reference[..end])
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.'))
            {
                return false;
            }
        }

        return true;
    }
}
