using System.Net;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>One compiled entry of a URL allowlist: scheme, host or wildcard, port, and a path prefix of whole segments.</summary>
internal sealed class UrlPattern
{
    private readonly string _host;
    private readonly IPAddress? _address;

    private UrlPattern(string text, bool isTls, UrlHostRule hostRule, string host, HostKind hostKind, IPAddress? address, int port, string path, bool allowPrivate)
    {
        Text = text;
        IsTls = isTls;
        HostRule = hostRule;
        _host = host;
        HostKind = hostKind;
        _address = address;
        Port = port;
        Path = path;
        AllowPrivate = allowPrivate;
    }

    /// <summary>The entry as the policy gives it.</summary>
    public string Text { get; }

    public bool IsTls { get; }

    public UrlHostRule HostRule { get; }

    public HostKind HostKind { get; }

    public int Port { get; }

    /// <summary>Without a closing slash; empty where every path is allowed.</summary>
    public string Path { get; }

    /// <summary>Answers of DNS may be private or loopback addresses.</summary>
    public bool AllowPrivate { get; }

    /// <summary>Compiles an entry; false with the reason where it is bad (U12).</summary>
    public static bool TryCompile(string text, bool allowPrivate, out UrlPattern? pattern, out string problem)
    {
        pattern = null;
        Span<char> buffer = stackalloc char[UrlParser.MaxHostLength];
        if (!UrlParser.TryParse(text, buffer, pattern: true, out ParsedUrl url, out bool wildcard, out UrlDenial denial))
        {
            problem = denial == UrlDenial.Host && text.Contains('*', StringComparison.Ordinal)
                ? "a star stands for the whole host or, followed by a dot, for whole labels in front of a name"
                : "the entry cannot be read: " + UrlDenials.Describe(denial);
            return false;
        }

        if (!url.Query.IsEmpty)
        {
            problem = "the entry has a query, which is not matched; remove it";
            return false;
        }

        if (!UrlPath.IsUnambiguous(url.Path) || url.Path.Contains("/./", StringComparison.Ordinal) || url.Path.Contains("/../", StringComparison.Ordinal)
            || url.Path.EndsWith("/.", StringComparison.Ordinal) || url.Path.EndsWith("/..", StringComparison.Ordinal))
        {
            problem = "the path of the entry has dot segments or escapes that servers read differently; write the plain path";
            return false;
        }

        UrlHostRule rule = !wildcard ? UrlHostRule.Exact : url.Host.IsEmpty ? UrlHostRule.AnyPublic : UrlHostRule.Subdomains;
        if (rule == UrlHostRule.Subdomains)
        {
            if (url.HostKind is HostKind.AddressV4 or HostKind.AddressV6)
            {
                problem = "a star in front of an address means nothing";
                return false;
            }

            if (!url.Host.Contains('.') || PublicSuffixes.Contains(url.Host))
            {
                problem = "the star covers a suffix below which anyone can register names; name the domain";
                return false;
            }

            if (url.HostKind == HostKind.SpecialName)
            {
                problem = "names that public DNS does not own need an exact entry";
                return false;
            }
        }

        if (!url.IsTls && !(rule == UrlHostRule.Exact && IsLoopback(url)))
        {
            problem = "plain http is only for loopback; use https";
            return false;
        }

        string path = url.Path.ToString();
        pattern = new UrlPattern(
            text, url.IsTls, rule, rule == UrlHostRule.Subdomains ? "." + url.Host.ToString() : url.Host.ToString(), url.HostKind, url.Address, url.Port,
            path.EndsWith('/') ? path[..^1] : path, allowPrivate);
        problem = string.Empty;
        return true;
    }

    /// <summary>True where scheme, host and port match.</summary>
    public bool MatchesOrigin(in ParsedUrl url) => url.IsTls == IsTls && url.Port == Port && HostRule switch
    {
        UrlHostRule.Exact => url.HostKind == HostKind
            && (HostKind == HostKind.AddressV6 ? Equals(url.Address, _address) && IsMapped(url) == IsMapped(_host) : url.Host.SequenceEqual(_host)),
        UrlHostRule.Subdomains => url.HostKind == HostKind.Name && url.Host.EndsWith(_host, StringComparison.Ordinal),
        UrlHostRule.AnyPublic => url.HostKind == HostKind.Name
            || (url.Address is not null && AddressRules.Classify(url.Address) == AddressScope.Public),
        _ => false,
    };

    /// <summary>True where a path without dot segments is the entry's path or below it.</summary>
    public bool MatchesPath(ReadOnlySpan<char> path) =>
        Path.Length == 0 || (path.StartsWith(Path, StringComparison.Ordinal) && (path.Length == Path.Length || path[Path.Length] == '/'));

    private static bool IsMapped(in ParsedUrl url) => IsMapped(url.Host);

    private static bool IsMapped(ReadOnlySpan<char> host) => host.Contains('.');

    private static bool IsLoopback(in ParsedUrl url) => url.HostKind switch
    {
        HostKind.SpecialName => UrlAllowlist.IsLocalhost(url.Host),
        HostKind.AddressV4 or HostKind.AddressV6 => AddressRules.Classify(url.Address!) == AddressScope.Loopback,
        _ => false,
    };
}
