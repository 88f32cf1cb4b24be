using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Mcp.Guard.Unicode;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// Judges the URL of each request and follows redirects itself, each hop judged. A redirect to another origin is refused, or, where the policy
/// lets it be followed, loses its body and every header that could identify anyone.
/// </summary>
internal sealed class AdmissionHandler(UrlAllowlist allowlist, AdmissionHttpOptions options, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private long _requests;

    /// <summary>How many requests came through.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    private static readonly HashSet<string> HeadersForOtherOrigins = new(StringComparer.OrdinalIgnoreCase)
    {
        "Accept", "Accept-Charset", "Accept-Language", "User-Agent", "MCP-Protocol-Version",
    };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        Uri uri = request.RequestUri is { IsAbsoluteUri: true } given ? given : throw new UrlRefusedException(UrlVerdict.Deny(UrlDenial.NoScheme));
        Interlocked.Increment(ref _requests);
        if (!allowlist.Check(uri.OriginalString).IsAllowed && options.Authorization.Check(uri.OriginalString).IsAllowed)
        {
            return await SendForAuthorizationAsync(request, uri, ct).ConfigureAwait(false);
        }

        string current = Admit(uri.OriginalString, uri, allowlist.Check);
        foreach ((string name, string value) in await options.Headers(ct).ConfigureAwait(false))
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        for (int hops = 0; ; hops++)
        {
            HttpResponseMessage response = await base.SendAsync(request, ct).ConfigureAwait(false);
            if (!IsRedirect(response.StatusCode) || !response.Headers.TryGetValues("Location", out IEnumerable<string>? locations))
            {
                return response;
            }

            // The header as it was sent: HttpResponseHeaders.Location has been through Uri, which corrects.
            string location = locations.First();
            HttpStatusCode status = response.StatusCode;
            response.Dispose();
            if (hops == UrlAllowlist.MaxRedirects)
            {
                throw new UrlRefusedException(UrlVerdict.Deny(UrlDenial.TooManyRedirects));
            }

            UrlVerdict verdict = allowlist.CheckRedirect(current, location, out string target);
            if (!verdict.IsAllowed)
            {
                throw new UrlRefusedException(verdict);
            }

            if (!Uri.TryCreate(target, UriKind.Absolute, out Uri? next))
            {
                throw new UrlRefusedException(UrlVerdict.Deny(UrlDenial.BadRedirect));
            }

            current = Admit(target, next, allowlist.Check);
            request = IsSameOrigin(uri, next) ? OnSameOrigin(request, next, status) : OnOtherOrigin(request, next);
            uri = next;
        }
    }

    /// <summary>One request to an OAuth URL. It gets none of the server's headers, and a redirect of it leads nowhere: each URL has an entry of its own.</summary>
    private async Task<HttpResponseMessage> SendForAuthorizationAsync(HttpRequestMessage request, Uri uri, CancellationToken ct)
    {
        Admit(uri.OriginalString, uri, url => options.Authorization.Check(url.ToString()));
        if (!await AuthorizationUrls.MayReceiveAsync(request, ct).ConfigureAwait(false))
        {
            throw new UrlRefusedException(UrlVerdict.Deny(UrlDenial.CredentialsForOtherUse));
        }

        HttpResponseMessage response = await base.SendAsync(request, ct).ConfigureAwait(false);
        if (!IsRedirect(response.StatusCode))
        {
            return response;
        }

        response.Dispose();
        throw new UrlRefusedException(UrlVerdict.Deny(UrlDenial.CrossOriginRedirect));
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new NotSupportedException("guarded HTTP is asynchronous");

    /// <summary>True where scheme, host and port agree; the endpoint that a legacy SSE server announces has to pass this too.</summary>
    public static bool IsSameOrigin(Uri left, Uri right) =>
        string.Equals(left.Scheme, right.Scheme, StringComparison.Ordinal)
        && SentHost.Of(left) is { } host && string.Equals(host, SentHost.Of(right), StringComparison.OrdinalIgnoreCase) && left.Port == right.Port;

    /// <summary>Judges a URL both as it is written and as <see cref="Uri"/> will send it; the two have to name the same host and port.</summary>
    private static string Admit(string written, Uri uri, Judge judge)
    {
        UrlVerdict verdict = judge(written);
        if (!verdict.IsAllowed)
        {
            throw new UrlRefusedException(verdict);
        }

        Span<char> host = stackalloc char[UrlParser.MaxHostLength];
        if (!UrlParser.TryParse(written, host, out ParsedUrl parsed, out UrlDenial denial))
        {
            throw new UrlRefusedException(UrlVerdict.Deny(denial));
        }

        string? sent = SentHost.Of(uri);
        bool same = sent is not null && uri.Port == parsed.Port
            && (parsed.Address is not null
                ? IPAddress.TryParse(sent, out IPAddress? address) && address.Equals(parsed.Address)
                : parsed.Host.Equals(sent, StringComparison.OrdinalIgnoreCase));
        if (!same)
        {
            throw new UrlRefusedException(UrlVerdict.Deny(UrlDenial.HostNotCanonical));
        }

        // What goes over the wire is Uri's own path: dots removed, escapes normalised.
        string authorityHost = parsed.HostKind == HostKind.AddressV6 ? $"[{parsed.Host}]" : parsed.Host.ToString();
        verdict = judge(string.Create(CultureInfo.InvariantCulture, $"{uri.Scheme}://{authorityHost}:{parsed.Port}{uri.PathAndQuery}"));
        return verdict.IsAllowed ? written : throw new UrlRefusedException(verdict);
    }

    private delegate UrlVerdict Judge(ReadOnlySpan<char> url);

    private static bool IsRedirect(HttpStatusCode status) => status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    /// <summary>The next request on the same origin: 307 and 308 repeat the body, 303 drops it, 301 and 302 drop that of a POST (RFC 9110 section 15.4).</summary>
    private static HttpRequestMessage OnSameOrigin(HttpRequestMessage request, Uri target, HttpStatusCode status)
    {
        bool dropsBody = (status == HttpStatusCode.SeeOther && request.Method != HttpMethod.Head)
            || (status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found && request.Method == HttpMethod.Post);
        var next = new HttpRequestMessage(dropsBody ? HttpMethod.Get : request.Method, target)
        {
            Content = dropsBody ? null : request.Content,
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
        };
        foreach (KeyValuePair<string, HeaderStringValues> header in request.Headers.NonValidated)
        {
            next.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        next.Headers.Host = null;
        return next;
    }

    private HttpRequestMessage OnOtherOrigin(HttpRequestMessage request, Uri target)
    {
        if (!options.FollowToOtherOrigins || (request.Method != HttpMethod.Get && request.Method != HttpMethod.Head))
        {
            throw new UrlRefusedException(UrlVerdict.Deny(UrlDenial.CrossOriginRedirect));
        }

        var next = new HttpRequestMessage(request.Method, target) { Version = request.Version, VersionPolicy = request.VersionPolicy };
        foreach (KeyValuePair<string, HeaderStringValues> header in request.Headers.NonValidated)
        {
            if (HeadersForOtherOrigins.Contains(header.Key))
            {
                next.Headers.TryAddWithoutValidation(header.Key, header.Value);
            }
        }

        return next;
    }
}
