using System.Buffers;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Compares what a link says with where it leads.</summary>
internal static class LinkText
{
    private const int MaxHost = 253;

    private static readonly SearchValues<char> HostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");

    private static readonly SearchValues<char> HostEnds = SearchValues.Create("/?#: \t\r\n<");

    /// <summary>How many tags around the text of a link are looked through.</summary>
    private const int MaxTags = 8;

    /// <summary>Endings that make a word a host even without a scheme; endings that are also file names (md, py, sh) are left out.</summary>
    private static readonly string[] Endings = [".com", ".org", ".net", ".io", ".dev", ".gov", ".edu", ".app", ".example", ".co.uk", ".de", ".eu"];

    /// <summary>Whether the visible text is an address of a host that is neither the target's nor one above or below it.</summary>
    public static bool NamesAnotherHost(ReadOnlySpan<char> shown, string targetHost)
    {
        ReadOnlySpan<char> text = shown.Trim(" \t\r\n*_`");
        for (int tags = 0; tags < MaxTags && text.Length > 1 && text[0] == '<' && char.IsAsciiLetter(text[1]) && text.IndexOf('>') is > 0 and int close; tags++)
        {
            text = text[(close + 1)..].Trim(" \t\r\n*_`");
        }

        int tag = text.IndexOf('<');
        text = tag < 0 ? text : text[..tag];
        bool named = false;
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme is > 0 and < 12)
        {
            text = text[(scheme + 3)..];
            named = true;
        }

        int end = text.IndexOfAny(HostEnds);
        ReadOnlySpan<char> shownHost = end < 0 ? text : text[..end];
        if (shownHost.Length is 0 or > MaxHost || !shownHost.Contains('.'))
        {
            return false;
        }

        Span<char> lower = stackalloc char[shownHost.Length];
        shownHost.ToLowerInvariant(lower);
        ReadOnlySpan<char> host = lower;
        if (host.ContainsAnyExcept(HostCharacters) || host[0] == '.' || host[^1] == '.')
        {
            return false;
        }

        // Without a scheme only what is written like a host counts: "ASP.NET" and "Node.js" are names of things.
        named |= host.StartsWith("www.", StringComparison.Ordinal);
        if (!named && (end >= 0 && text[end] is ' ' or '\t' or '\n' || !shownHost.SequenceEqual(host) || !EndsLikeHost(host)))
        {
            return false;
        }

        return !Within(host, targetHost) && !Within(targetHost, host);
    }

    private static bool EndsLikeHost(ReadOnlySpan<char> host)
    {
        foreach (string ending in Endings)
        {
            if (host.EndsWith(ending, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether one host is another or lies below it, a leading "www." left out.</summary>
    private static bool Within(ReadOnlySpan<char> host, ReadOnlySpan<char> parent)
    {
        if (parent.StartsWith("www.", StringComparison.Ordinal))
        {
            parent = parent[4..];
        }

        return host.EndsWith(parent, StringComparison.Ordinal) && (host.Length == parent.Length || host[host.Length - parent.Length - 1] == '.');
    }
}
