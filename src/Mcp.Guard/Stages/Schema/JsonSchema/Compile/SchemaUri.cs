using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// Resolves URI references by RFC 3986 section 5.2, as text. <see cref="Uri"/> is not used: it rewrites what it reads (case, default
/// ports, UNC and file paths), and an identifier must mean what is written.
/// </summary>
internal static class SchemaUri
{
    public static string WithoutEmptyFragment(string uri) => uri.EndsWith('#') ? uri[..^1] : uri;

    /// <summary>The absolute form of a reference without fragment; with an empty base, the reference itself.</summary>
    public static string Resolve(string baseUri, string reference)
    {
        Parts target = Parts.Of(reference);
        if (target.Scheme is not null)
        {
            return (target with { Path = WithoutDots(target.Path) }).ToString();
        }

        Parts origin = Parts.Of(baseUri);
        if (target.Authority is not null)
        {
            return (target with { Scheme = origin.Scheme, Path = WithoutDots(target.Path) }).ToString();
        }

        if (target.Path.Length == 0)
        {
            return (origin with { Query = target.Query ?? origin.Query }).ToString();
        }

        string path = target.Path.StartsWith('/')
            ? target.Path
            : origin.Authority is not null && origin.Path.Length == 0
                ? "/" + target.Path
                : string.Concat(origin.Path.AsSpan(0, origin.Path.LastIndexOf('/') + 1), target.Path);
        return (origin with { Path = WithoutDots(path), Query = target.Query }).ToString();
    }

    /// <summary>Undoes percent-encoding; null where it is malformed or does not give UTF-8.</summary>
    public static string? DecodeFragment(string fragment)
    {
        if (!fragment.Contains('%', StringComparison.Ordinal))
        {
            return fragment;
        }

        byte[] bytes = Encoding.UTF8.GetBytes(fragment);
        int written = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            byte b = bytes[i];
            if (b == (byte)'%')
            {
                if (i + 2 >= bytes.Length || !char.IsAsciiHexDigit((char)bytes[i + 1]) || !char.IsAsciiHexDigit((char)bytes[i + 2]))
                {
                    return null;
                }

                b = byte.Parse(bytes.AsSpan(i + 1, 2), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture);
                i += 2;
            }

            bytes[written++] = b;
        }

        ReadOnlySpan<byte> decoded = bytes.AsSpan(0, written);
        return System.Text.Unicode.Utf8.IsValid(decoded) ? Encoding.UTF8.GetString(decoded) : null;
    }

    /// <summary>RFC 3986 section 5.2.4.</summary>
    private static string WithoutDots(string path)
    {
        if (!path.Contains('.', StringComparison.Ordinal) || !path.Contains('/', StringComparison.Ordinal))
        {
            return path;
        }

        bool rooted = path.StartsWith('/');
        var kept = new List<string>();
        string[] segments = path.Split('/');
        for (int i = 0; i < segments.Length; i++)
        {
            bool last = i == segments.Length - 1;
            switch (segments[i])
            {
                case ".":
                    if (last)
                    {
                        kept.Add("");
                    }

                    break;
                case "..":
                    if (kept.Count > (rooted ? 1 : 0))
                    {
                        kept.RemoveAt(kept.Count - 1);
                    }

                    if (last)
                    {
                        kept.Add("");
                    }

                    break;
                default:
                    kept.Add(segments[i]);
                    break;
            }
        }

        return string.Join('/', kept);
    }

    /// <summary>The five components of RFC 3986 appendix B, the fragment apart.</summary>
    private sealed record Parts(string? Scheme, string? Authority, string Path, string? Query)
    {
        public static Parts Of(string uri)
        {
            string? scheme = null;
            string? authority = null;
            string? query = null;
            string rest = uri;
            int colon = rest.IndexOfAny([':', '/', '?', '#']);
            if (colon > 0 && rest[colon] == ':')
            {
                scheme = rest[..colon];
                rest = rest[(colon + 1)..];
            }

            int question = rest.IndexOf('?', StringComparison.Ordinal);
            if (question >= 0)
            {
                query = rest[(question + 1)..];
                rest = rest[..question];
            }

            if (rest.StartsWith("//", StringComparison.Ordinal))
            {
                int slash = rest.IndexOf('/', 2);
                authority = slash < 0 ? rest[2..] : rest[2..slash];
                rest = slash < 0 ? "" : rest[slash..];
            }

            return new Parts(scheme, authority, rest, query);
        }

        public override string ToString()
        {
            var text = new StringBuilder();
            if (Scheme is not null)
            {
                text.Append(Scheme).Append(':');
            }

            if (Authority is not null)
            {
                text.Append("//").Append(Authority);
            }

            text.Append(Path);
            if (Query is not null)
            {
                text.Append('?').Append(Query);
            }

            return text.ToString();
        }
    }
}
