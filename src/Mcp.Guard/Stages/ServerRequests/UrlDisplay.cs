using System.Buffers;
using System.Globalization;
using Mcp.Guard.Stages.ResultSanitizing;
using Mcp.Guard.Unicode;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// What a person has to see before opening a URL that a server sent (MCP, elicitation in URL mode): the whole address in ASCII, its host,
/// and a warning where the host is internationalised or mixes look-alikes. Nothing is resolved or fetched.
/// </summary>
internal sealed class UrlDisplay
{
    /// <summary>A longer address is refused: nobody reads it.</summary>
    public const int MaxLength = 2048;

    private static readonly SearchValues<char> NotInPaths = SearchValues.Create("<>\"`{}|^");

    private UrlDisplay(string url, string host, string? warning)
    {
        Url = url;
        Host = host;
        Warning = warning;
    }

    /// <summary>The whole address, host in Punycode, everything else percent-encoded ASCII.</summary>
    public string Url { get; }

    /// <summary>The host as it is resolved.</summary>
    public string Host { get; }

    /// <summary>Why the host is not what it may look like; null where nothing is wrong with it.</summary>
    public string? Warning { get; }

    /// <summary>
    /// Reads an address; null refuses it: no absolute https address (or http to this machine), user information in it, invisible or control
    /// characters, or too long.
    /// </summary>
    public static UrlDisplay? Read(string text)
    {
        if (text.Length is 0 or > MaxLength || AttentionMap.Next(text, 0) < text.Length || text.AsSpan().ContainsAny(" \t\n\\")
            || !Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.UserInfo.Length > 0 || SentHost.Of(url) is not { Length: > 0 } host)
        {
            return null;
        }

        bool local = url.IsLoopback && url.Scheme == Uri.UriSchemeHttp;
        if (url.Scheme != Uri.UriSchemeHttps && !local)
        {
            return null;
        }

        // Brackets and their like are in no path (RFC 3986 section 3.3): where the message is shown as Markdown they would load an image from another host.
        string path = (url.PathAndQuery + url.Fragment).Replace("[", "%5B", StringComparison.Ordinal).Replace("]", "%5D", StringComparison.Ordinal);
        string shown = string.Create(CultureInfo.InvariantCulture, $"{url.Scheme}://{(url.HostNameType == UriHostNameType.IPv6 ? url.Host : host)}{(url.IsDefaultPort ? "" : ":" + url.Port.ToString(CultureInfo.InvariantCulture))}{path}");
        return shown.AsSpan().ContainsAnyExceptInRange('!', '~') || path.AsSpan().ContainsAny(NotInPaths) ? null : new UrlDisplay(shown, host, WarningOf(text, host));
    }

    private static string? WarningOf(string text, string host)
    {
        if (MixedHost.Find(text))
        {
            return "the host mixes letters of several scripts that look alike";
        }

        return host.StartsWith("xn--", StringComparison.OrdinalIgnoreCase) || host.Contains(".xn--", StringComparison.OrdinalIgnoreCase)
            ? "the host is internationalised (Punycode); compare it letter by letter"
            : null;
    }
}
