using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// The OAuth metadata, authorization, token and registration URLs of one server, each listed exactly: a server's metadata can name any URL, and a token sent
/// there is gone (MCP authorization, RFC 8414, RFC 9728). What may be sent to them is bounded too: nothing of the MCP connection goes there.
/// </summary>
internal sealed class AuthorizationUrls
{
    private const int MaxBody = 64 * 1024;

    private readonly string[] _entries;
    private readonly UrlAllowlist _allowlist;

    private AuthorizationUrls(string[] entries, UrlAllowlist allowlist)
    {
        _entries = entries;
        _allowlist = allowlist;
    }

    public static AuthorizationUrls None { get; } = Create([]);

    public IReadOnlyList<AllowlistProblem> Problems => _allowlist.Problems;

    /// <summary>Compiles entries; one with a wildcard matches nothing, because each URL has to be equal to an entry.</summary>
    public static AuthorizationUrls Create(IReadOnlyList<string> entries, bool allowPrivate = false) =>
        new([.. entries], UrlAllowlist.Create([.. entries], allowPrivate));

    /// <summary>Judges a URL: scheme, host, port and path equal to those of an entry; the query is not judged. Never throws.</summary>
    public UrlVerdict Check(string url)
    {
        UrlVerdict verdict = _allowlist.Check(url);
        if (!verdict.IsAllowed)
        {
            return verdict;
        }

        Span<char> host = stackalloc char[UrlParser.MaxHostLength];
        Span<char> listedHost = stackalloc char[UrlParser.MaxHostLength];
        if (!UrlParser.TryParse(url, host, out ParsedUrl parsed, out UrlDenial denial))
        {
            return UrlVerdict.Deny(denial);
        }

        foreach (string entry in _entries)
        {
            if (UrlParser.TryParse(entry, listedHost, out ParsedUrl listed, out _)
                && listed.IsTls == parsed.IsTls && listed.Port == parsed.Port && listed.Host.SequenceEqual(parsed.Host)
                && PathOf(listed).SequenceEqual(PathOf(parsed)))
            {
                return verdict;
            }
        }

        return UrlVerdict.Deny(UrlDenial.PathNotListed);
    }

    /// <summary>Judges what a name resolved to, for the connection.</summary>
    public UrlVerdict CheckConnection(bool isTls, string host, int port, ReadOnlySpan<IPAddress> answers) => _allowlist.CheckConnection(isTls, host, port, answers);

    /// <summary>
    /// Whether a request may go to an authorization URL: it reads, or it sends a form (RFC 6749) or a registration (RFC 7591). It carries no bearer token, no
    /// cookie, no session and no MCP message, so that a server that names such a URL as its endpoint gets nothing there.
    /// </summary>
    public static async ValueTask<bool> MayReceiveAsync(HttpRequestMessage request, CancellationToken ct)
    {
        if (request.Headers.NonValidated.Contains("Mcp-Session-Id") || request.Headers.NonValidated.Contains("Cookie") || request.Headers.NonValidated.Contains("Last-Event-ID")
            || request.Headers.Authorization is { } credentials && !string.Equals(credentials.Scheme, "Basic", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        if (request.Method == HttpMethod.Get)
        {
            return request.Content is null;
        }

        if (request.Method != HttpMethod.Post || request.Content is not { } content)
        {
            return false;
        }

        MediaTypeHeaderValue? type = content.Headers.ContentType;
        if (string.Equals(type?.MediaType, "application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (!string.Equals(type?.MediaType, "application/json", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        await content.LoadIntoBufferAsync(MaxBody, ct).ConfigureAwait(false);
        return IsRegistration(await content.ReadAsByteArrayAsync(ct).ConfigureAwait(false));
    }

    private static bool IsRegistration(byte[] body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object && !document.RootElement.TryGetProperty("jsonrpc"u8, out _)
                && document.RootElement.TryGetProperty("redirect_uris"u8, out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static ReadOnlySpan<char> PathOf(in ParsedUrl url) => url.Path.IsEmpty ? "/" : url.Path;
}
