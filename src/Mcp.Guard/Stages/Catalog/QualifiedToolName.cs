using System.Security.Cryptography;
using System.Text;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// One name for each server and tool, for hosts that put the tools of several servers before one model: <c>server__tool</c>.
/// No two pairs share a name: the server's part ends at the first double underscore and holds none.
/// </summary>
internal static class QualifiedToolName
{
    /// <summary>The longest name that the function-calling interfaces of common models take.</summary>
    public const int MaxLength = 64;

    private const string Joint = "__";
    private const string ShortenedMark = "-x";
    private const int DigestLength = 20;

    /// <summary>The qualified name. Of a name that would be too long, the end is replaced by a part of its SHA-256.</summary>
    /// <param name="server">The server's id in the policy.</param>
    /// <param name="tool">The exact tool name.</param>
    public static string Compose(string server, string tool)
    {
        string whole = new StringBuilder(server.Length + tool.Length + 8)
            .Append(EscapeServer(server)).Append(Joint).Append(EscapeTool(tool)).ToString();
        if (whole.Length <= MaxLength)
        {
            return whole;
        }

        // After a hyphen an escape goes on with a hyphen or a hexadecimal digit: "-x" marks a shortened name and nothing else. A hyphen that
        // the cut leaves at the end would join it.
        string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.Unicode.GetBytes(whole)).AsSpan(0, DigestLength / 2));
        return string.Concat(whole.AsSpan(0, MaxLength - DigestLength - ShortenedMark.Length).TrimEnd('-'), ShortenedMark, digest);
    }

    /// <summary>Whether a name could be the qualified one of some tool of a server.</summary>
    public static bool MayBeOf(string server, string name)
    {
        // Of a long server id the cut takes the joint too.
        if (!name.Contains(Joint, StringComparison.Ordinal) && !name.Contains(ShortenedMark, StringComparison.Ordinal))
        {
            return false;
        }

        string prefix = EscapeServer(server) + Joint;
        return name.AsSpan().StartsWith(prefix.AsSpan(0, Math.Min(prefix.Length, MaxLength - DigestLength - ShortenedMark.Length)).TrimEnd('-'), StringComparison.Ordinal);
    }

    // A hyphen starts an escape, so that an id without one stays as it is; a single underscore inside stays too.
    private static string EscapeServer(string server)
    {
        var text = new StringBuilder(server.Length);
        for (int i = 0; i < server.Length; i++)
        {
            char c = server[i];
            bool joint = c == '_' && (i == 0 || i == server.Length - 1 || server[i - 1] == '_');
            Append(text, c, escape: joint || !(char.IsAsciiLetterOrDigit(c) || c == '_'));
        }

        return text.ToString();
    }

    private static string EscapeTool(string tool)
    {
        var text = new StringBuilder(tool.Length);
        foreach (char c in tool)
        {
            Append(text, c, escape: !(char.IsAsciiLetterOrDigit(c) || c == '_'));
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, char c, bool escape)
    {
        if (!escape)
        {
            text.Append(c);
        }
        else if (c == '-')
        {
            text.Append("--");
        }
        else
        {
            text.Append('-').Append(System.Globalization.CultureInfo.InvariantCulture, $"{(int)c:x4}");
        }
    }
}
