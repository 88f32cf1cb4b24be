using System.Globalization;
using System.Text;

namespace Mcp.Guard.Gateway;

/// <summary>
/// The URI of a resource with its server's id in the scheme, for resources that more than one server offers: <c>mcp-guard.files+file:///a</c>. What follows the
/// first plus sign is the server's own URI or template, letter for letter. The id is written in lower-case letters and digits only, everything else as a hyphen and
/// four hexadecimal digits (RFC 3986, section 3.1: a scheme has no case), so that no two servers share a prefix.
/// </summary>
internal static class QualifiedUri
{
    private const string Prefix = "mcp-guard.";

    /// <summary>Whether a URI has the form of a qualified one, whatever it names. A server's own URI of that form is offered qualified only.</summary>
    public static bool IsReserved(string uri) => uri.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);

    public static string Compose(string server, string uri)
    {
        var text = new StringBuilder(Prefix.Length + server.Length + uri.Length + 8).Append(Prefix);
        foreach (char c in server)
        {
            if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
            {
                text.Append(c);
            }
            else
            {
                text.Append('-').Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            }
        }

        return text.Append('+').Append(uri).ToString();
    }

    /// <summary>The server's own URI, where this is the qualified form of one of this server; otherwise null.</summary>
    public static string? TryStrip(string server, string uri)
    {
        if (!IsReserved(uri))
        {
            return null;
        }

        string prefix = Compose(server, string.Empty);
        return uri.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && uri.Length > prefix.Length ? uri[prefix.Length..] : null;
    }
}
