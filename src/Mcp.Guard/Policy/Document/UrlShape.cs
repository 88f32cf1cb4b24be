using System.Globalization;
using System.Text;

namespace Mcp.Guard.Policy;

/// <summary>The checks that a URL or URL pattern of a policy must pass before the admission of servers judges it with its own grammar.</summary>
internal static class UrlShape
{
    private static readonly System.Buffers.SearchValues<char> HostCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-._");

    /// <summary>What is wrong with an exact URL; null: nothing.</summary>
    public static string? FaultOfUrl(string url)
    {
        if (url.Contains('*', StringComparison.Ordinal))
        {
            return "a server has one exact URL, without '*'";
        }

        return FaultOfPattern(url);
    }

    /// <summary>What is wrong with a URL pattern; null: nothing.</summary>
    public static string? FaultOfPattern(string pattern)
    {
        foreach (Rune c in pattern.EnumerateRunes())
        {
            // Format characters, U+FEFF among them, vanish from a host name (UTS #46): two patterns that look alike would name two hosts, or none.
            if (Rune.IsWhiteSpace(c) || Rune.IsControl(c) || c.Value == '\\' || c == Rune.ReplacementChar || Rune.GetUnicodeCategory(c) == UnicodeCategory.Format)
            {
                return "it holds a blank, a control or format character, or a backslash";
            }
        }

        int scheme = pattern.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || pattern[..scheme] is not ("http" or "https"))
        {
            return "it does not start with https:// or http://";
        }

        string rest = pattern[(scheme + 3)..];
        int end = rest.AsSpan().IndexOfAny("/?#");
        string authority = end < 0 ? rest : rest[..end];
        if (authority.Contains('@', StringComparison.Ordinal))
        {
            return "it holds user information; credentials belong into secrets";
        }

        if (rest.Contains('#', StringComparison.Ordinal))
        {
            return "it holds a fragment";
        }

        // A star stands for a whole host or for its first labels; the rest must be a URL.
        string probe = authority.StartsWith("*.", StringComparison.Ordinal) ? string.Concat("x.", authority.AsSpan(2))
            : authority == "*" || authority.StartsWith("*:", StringComparison.Ordinal) ? "x.example" + authority[1..]
            : authority;
        if (probe.Contains('*', StringComparison.Ordinal) || (end >= 0 && rest[end..].Contains('*', StringComparison.Ordinal)))
        {
            return "'*' stands only for the whole host or, as \"*.\", for its first labels";
        }

        string url = string.Concat(pattern.AsSpan(0, scheme + 3), probe, end < 0 ? string.Empty : rest[end..]);
        return Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) && parsed.Host.Length > 0 ? null : "it is no URL";
    }

    /// <summary>A lower-case host name, or <c>*.</c> and one.</summary>
    public static bool IsHostPattern(string host)
    {
        ReadOnlySpan<char> name = host.StartsWith("*.", StringComparison.Ordinal) ? host.AsSpan(2) : host;
        return name.Length > 0 && name.IndexOfAnyExcept(HostCharacters) < 0 && name[0] is not ('.' or '-') && name[^1] is not ('.' or '-')
            && name.IndexOf("..", StringComparison.Ordinal) < 0;
    }
}
