namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>An address inside markup, read the way a browser reads it, with the places in the raw text where its parts lie.</summary>
internal readonly record struct MarkupAddress
{
    /// <summary>The longest stretch of raw text that is read to learn the scheme; entities, tabs and line ends may pad it.</summary>
    private const int MaxSchemeText = 256;

    public MarkupAddressKind Kind { get; private init; }

    /// <summary>Where the scheme or the two slashes start.</summary>
    public int Start { get; private init; }

    /// <summary>Where the authority (user information and host) starts: after the slashes.</summary>
    public int AuthorityStart { get; private init; }

    public int HostStart { get; private init; }

    public int HostEnd { get; private init; }

    /// <summary>Lower case, without port and user information; empty where there is none.</summary>
    public string Host { get; private init; }

    /// <summary>Whether the address names a scheme; without one it takes that of the page.</summary>
    public string Scheme { get; private init; }

    /// <summary>Reads the address at <paramref name="start"/>. <paramref name="markdown"/>: backslash escapes count too.</summary>
    public static MarkupAddress Read(ReadOnlySpan<char> text, int start, bool markdown, ref MarkupFindings findings)
    {
        var decoder = new MarkupDecoder(text, markdown);
        int limit = Math.Min(text.Length, start + MaxSchemeText);
        int at = start;
        while (at < limit && text[at] <= ' ')
        {
            at++;
        }

        // Leading controls and blanks may also be written as entities.
        int next;
        char c;
        while ((c = decoder.Read(at, out next)) is > '\0' and <= ' ' && at < limit)
        {
            at = next;
        }

        int first = at;
        Span<char> scheme = stackalloc char[16];
        int length = 0;
        while (at < limit && (char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.' or '\t' or '\n' or '\r'))
        {
            if (c > ' ')
            {
                if (length == scheme.Length)
                {
                    return Other(first);
                }

                scheme[length++] = char.ToLowerInvariant(c);
            }

            at = next;
            c = decoder.Read(at, out next);
        }

        bool named = c == ':' && length > 0;
        string name = string.Empty;
        if (named)
        {
            name = scheme[..length] switch { "https" => "https", "http" => "http", _ => scheme[..length].ToString() };
            at = next;
            c = decoder.Read(at, out next);
            if (name is "javascript" or "vbscript" or "livescript" or "mocha")
            {
                return new MarkupAddress { Kind = MarkupAddressKind.Script, Start = first, HostStart = at, HostEnd = at, Host = string.Empty, Scheme = name };
            }

            if (name == "data")
            {
                return new MarkupAddress { Kind = MarkupAddressKind.Data, Start = first, AuthorityStart = at, HostStart = at, HostEnd = at, Host = string.Empty, Scheme = name };
            }
        }
        else if (length > 0)
        {
            return Other(first);
        }

        int slashes = 0;
        while (at < limit && c is '/' or '\\' or '\t' or '\n' or '\r')
        {
            slashes += c is '/' or '\\' ? 1 : 0;
            at = next;
            c = decoder.Read(at, out next);
        }

        bool special = name is "http" or "https" or "ftp" or "ws" or "wss";
        return slashes >= 2 || special ? ReadAuthority(text, first, at, name, decoder, ref findings) : Other(first);
    }

    /// <summary>Reads the authority behind two slashes; <paramref name="start"/> is where the address starts.</summary>
    public static MarkupAddress ReadAuthority(ReadOnlySpan<char> text, int start, int authority, string scheme, MarkupDecoder decoder, ref MarkupFindings findings)
    {
        int hostStart = authority;
        int at = authority;
        Span<char> host = stackalloc char[256];
        int length = 0;
        while (at < text.Length)
        {
            char raw = text[at];
            if (raw is ' ' or '"' or '\'' or '<' or '>' or '(' or ')' or '`' or '|' or '^' or '{' or '}' or ',')
            {
                break;
            }

            char c = decoder.Read(at, out int next);
            if (c is '/' or '\\' or '?' or '#' or ' ' or '"' or '\'' or '<' or '>')
            {
                break;
            }

            if (c == '@')
            {
                length = 0;
                hostStart = next;
            }
            else if (c > ' ' && c != '\u00ad' && length < host.Length)
            {
                host[length++] = char.ToLowerInvariant(c is '\u3002' or '\uff0e' or '\uff61' ? '.' : c);
            }

            at = next;
        }

        ReadOnlySpan<char> name = host[..length];
        int port = name.LastIndexOf(':');
        if (port >= 0 && !name[port..].Contains(']'))
        {
            name = name[..port];
        }

        name = name.TrimEnd('.');
        return name.IsEmpty
            ? Other(start)
            : new MarkupAddress
            {
                Kind = MarkupAddressKind.Remote,
                Start = start,
                AuthorityStart = authority,
                HostStart = hostStart,
                HostEnd = at,
                Host = findings.HostName(name),
                Scheme = scheme,
            };
    }

    /// <summary>The same address in a text from which this one was made.</summary>
    /// <param name="positions">Where each character of this text, and its end, stands in that one.</param>
    public MarkupAddress At(ReadOnlySpan<int> positions) => this with
    {
        Start = positions[Start],
        AuthorityStart = positions[AuthorityStart],
        HostStart = positions[HostStart],
        HostEnd = positions[HostEnd],
    };

    private static MarkupAddress Other(int start) =>
        new() { Kind = MarkupAddressKind.Other, Start = start, HostStart = start, HostEnd = start, Host = string.Empty, Scheme = string.Empty };
}
