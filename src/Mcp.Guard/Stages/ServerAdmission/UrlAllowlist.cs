using System.Net;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// The URLs that one server, or one rule, may reach: compiled once, immutable, safe for many threads. The rules U1 to U12 are described in
/// docs/server-admission.md.
/// </summary>
internal sealed class UrlAllowlist
{
    /// <summary>The longest chain of redirects.</summary>
    public const int MaxRedirects = 10;

    private readonly UrlPattern[] _patterns;

    private UrlAllowlist(UrlPattern[] patterns, IReadOnlyList<AllowlistProblem> problems)
    {
        _patterns = patterns;
        Problems = problems;
    }

    /// <summary>The entries that cannot be used; a policy that holds one is refused.</summary>
    public IReadOnlyList<AllowlistProblem> Problems { get; }

    public ReadOnlySpan<UrlPattern> Patterns => _patterns;

    /// <summary>Compiles entries; <paramref name="allowPrivate"/> permits private and loopback answers of DNS for all of them.</summary>
    public static UrlAllowlist Create(IReadOnlyList<string> entries, bool allowPrivate = false)
    {
        var patterns = new List<UrlPattern>(entries.Count);
        var problems = new List<AllowlistProblem>();
        for (int i = 0; i < entries.Count; i++)
        {
            if (UrlPattern.TryCompile(entries[i], allowPrivate, out UrlPattern? pattern, out string problem))
            {
                patterns.Add(pattern!);
            }
            else
            {
                problems.Add(new AllowlistProblem(i, problem));
            }
        }

        return new UrlAllowlist([.. patterns], problems);
    }

    /// <summary>Judges a URL by its text. Names still have to pass <c>CheckAnswers</c> when they are resolved. Never throws.</summary>
    public UrlVerdict Check(ReadOnlySpan<char> url)
    {
        Span<char> host = stackalloc char[UrlParser.MaxHostLength];
        return UrlParser.TryParse(url, host, out ParsedUrl parsed, out UrlDenial denial) ? Check(parsed) : UrlVerdict.Deny(denial);
    }

    /// <summary>Judges a URL that has been read.</summary>
    public UrlVerdict Check(in ParsedUrl url)
    {
        UrlPattern? withPath = null;
        foreach (UrlPattern pattern in _patterns)
        {
            if (!pattern.MatchesOrigin(url))
            {
                continue;
            }

            if (pattern.Path.Length == 0)
            {
                return UrlVerdict.Allow(pattern);
            }

            withPath = pattern;
        }

        return withPath is null ? UrlVerdict.Deny(ExplainMiss(url)) : CheckPath(url);
    }

    /// <summary>Judges a redirect: its target, relative or absolute, against the URL that answered (RFC 9110 section 10.2.2).</summary>
    public UrlVerdict CheckRedirect(string from, string location, out string target)
    {
        if (!UrlReference.TryResolve(from, location, out target))
        {
            return UrlVerdict.Deny(UrlDenial.BadRedirect);
        }

        return Check(target);
    }

    /// <summary>
    /// Judges one answer of DNS for the host of an allowed URL: every address in it must be permitted, so that no order and no retry reaches
    /// another.
    /// </summary>
    public UrlVerdict CheckAnswers(ReadOnlySpan<char> url, ReadOnlySpan<IPAddress> answers)
    {
        Span<char> host = stackalloc char[UrlParser.MaxHostLength];
        if (!UrlParser.TryParse(url, host, out ParsedUrl parsed, out UrlDenial denial))
        {
            return UrlVerdict.Deny(denial);
        }

        UrlVerdict verdict = Check(parsed);
        return verdict.IsAllowed ? CheckAnswers(parsed, verdict.Pattern!, answers) : verdict;
    }

    /// <summary>
    /// The same for a connection, which knows no path: scheme, host and port as the handler that opens it gives them. An entry that permits
    /// private answers counts only where its origin matches.
    /// </summary>
    public UrlVerdict CheckConnection(bool isTls, string host, int port, ReadOnlySpan<IPAddress> answers)
    {
        Span<char> buffer = stackalloc char[UrlParser.MaxHostLength];
        string authority = host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') ? $"[{host}]" : host;
        if (!UrlParser.TryParse($"{(isTls ? "https" : "http")}://{authority}:{port}/", buffer, out ParsedUrl parsed, out UrlDenial denial))
        {
            return UrlVerdict.Deny(denial);
        }

        foreach (UrlPattern pattern in _patterns)
        {
            if (pattern.MatchesOrigin(parsed))
            {
                UrlVerdict verdict = CheckAnswers(parsed, pattern, answers);
                if (verdict.IsAllowed)
                {
                    return verdict;
                }

                denial = verdict.Denial;
            }
        }

        return UrlVerdict.Deny(denial == default ? ExplainMiss(parsed) : denial);
    }

    /// <summary>True for localhost and the names below it (RFC 6761 section 6.3).</summary>
    public static bool IsLocalhost(ReadOnlySpan<char> host) => host is "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal);

    private static UrlVerdict CheckAnswers(in ParsedUrl url, UrlPattern pattern, ReadOnlySpan<IPAddress> answers)
    {
        if (url.Address is not null)
        {
            // No name, no DNS: the address itself was judged with the URL.
            foreach (IPAddress answer in answers)
            {
                if (!answer.Equals(url.Address))
                {
                    return UrlVerdict.Deny(UrlDenial.AnswerNotPublic);
                }
            }

            return UrlVerdict.Allow(pattern);
        }

        if (answers.IsEmpty)
        {
            return UrlVerdict.Deny(UrlDenial.NoAnswer);
        }

        bool localhost = IsLocalhost(url.Host);
        bool permitPrivate = pattern.AllowPrivate || url.HostKind == HostKind.SpecialName;
        foreach (IPAddress answer in answers)
        {
            AddressScope scope = AddressRules.Classify(answer);
            if (localhost)
            {
                if (scope != AddressScope.Loopback)
                {
                    return UrlVerdict.Deny(UrlDenial.AnswerNotLoopback);
                }
            }
            else if (scope != AddressScope.Public && !(permitPrivate && scope is AddressScope.Private or AddressScope.Loopback))
            {
                return UrlVerdict.Deny(UrlDenial.AnswerNotPublic);
            }
        }

        return UrlVerdict.Allow(pattern);
    }

    private UrlVerdict CheckPath(in ParsedUrl url)
    {
        if (!UrlPath.IsUnambiguous(url.Path))
        {
            return UrlVerdict.Deny(UrlDenial.PathEncoding);
        }

        Span<char> buffer = url.Path.Length <= 512 ? stackalloc char[512] : new char[url.Path.Length + 1];
        ReadOnlySpan<char> path = UrlPath.RemoveDots(url.Path, buffer);
        foreach (UrlPattern pattern in _patterns)
        {
            if (pattern.MatchesOrigin(url) && pattern.MatchesPath(path))
            {
                return UrlVerdict.Allow(pattern);
            }
        }

        return UrlVerdict.Deny(UrlDenial.PathNotListed);
    }

    private static UrlDenial ExplainMiss(in ParsedUrl url) => url.HostKind switch
    {
        HostKind.SpecialName => UrlDenial.SpecialName,
        HostKind.AddressV4 or HostKind.AddressV6 when AddressRules.Classify(url.Address!) != AddressScope.Public => UrlDenial.PrivateAddress,
        _ => UrlDenial.NotListed,
    };
}
