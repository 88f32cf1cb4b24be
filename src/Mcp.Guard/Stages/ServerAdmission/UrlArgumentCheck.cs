using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Unicode;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>Applies an allowlist to the arguments of a call that are URLs, so that a fetch tool cannot be sent where the server may not go.</summary>
internal static class UrlArgumentCheck
{
    private static readonly string[] Names = ["url", "urls", "uri", "uris", "href", "link", "links", "endpoint", "endpoints", "webhook"];

    /// <summary>
    /// Judges all URLs: strings that start with a scheme and two slashes (blanks and quotes aside) or with two slashes, and, whatever they
    /// hold, arguments whose names say URL. File URIs are left to the roots. Null where every URL is allowed.
    /// </summary>
    /// <param name="arguments">The arguments of the call.</param>
    /// <param name="allowlist">What they may name.</param>
    /// <param name="content">Arguments that are content and no URLs.</param>
    /// <param name="pointer">Where the denied URL stands.</param>
    public static UrlVerdict? FindDenied(JsonElement arguments, UrlAllowlist allowlist, IReadOnlyList<JsonPointerPattern> content, out string pointer)
    {
        var visitor = new Visitor(allowlist, content);
        if (!JsonStringWalker.TryWalk(arguments, ref visitor))
        {
            pointer = string.Empty;
            return UrlVerdict.Deny(UrlDenial.NotJudged);
        }

        pointer = visitor.Pointer ?? string.Empty;
        return visitor.Denied;
    }

    private static bool IsUrlName(ReadOnlySpan<JsonTrailSegment> trail)
    {
        for (int i = trail.Length - 1; i >= 0; i--)
        {
            if (trail[i].Index < 0)
            {
                string name = JsonText.GetName(trail[i].Member);
                foreach (string word in Names)
                {
                    if (name.EndsWith(word, StringComparison.OrdinalIgnoreCase))
                    {
                        return true;
                    }
                }

                return false;
            }
        }

        return false;
    }

    private static bool LooksLikeUrl(ReadOnlySpan<char> text)
    {
        // What URL parsers drop in front and in between (tab, line feed, carriage return) does not hide a scheme.
        Span<char> head = stackalloc char[24];
        int length = 0;
        foreach (char c in text)
        {
            if (length == head.Length)
            {
                break;
            }

            if (c is '\t' or '\n' or '\r' || (length == 0 && (char.IsWhiteSpace(c) || TextHazards.IsControl(c) || c is '"' or '\'' or '<' or '`' or '\uFEFF')))
            {
                continue;
            }

            head[length++] = c == '\\' ? '/' : c;
        }

        ReadOnlySpan<char> start = head[..length];
        if (start.StartsWith("//", StringComparison.Ordinal))
        {
            return true;
        }

        int colon = start.IndexOf(':');
        if (colon <= 0 || start.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        foreach (char c in start[..colon])
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.'))
            {
                return false;
            }
        }

        return start[(colon + 1)..].StartsWith('/') || start.StartsWith("http:", StringComparison.OrdinalIgnoreCase)
            || start.StartsWith("https:", StringComparison.OrdinalIgnoreCase);
    }

    private struct Visitor(UrlAllowlist allowlist, IReadOnlyList<JsonPointerPattern> content) : IJsonStringVisitor
    {
        public UrlVerdict? Denied { get; private set; }

        public string? Pointer { get; private set; }

        public bool Visit(in JsonStringPlace place)
        {
            if (place.IsName)
            {
                return true;
            }

            for (int i = 0; i < content.Count; i++)
            {
                if (content[i].Covers(place.Trail))
                {
                    return true;
                }
            }

            string text = place.GetText();
            bool named = text.Length > 0 && IsUrlName(place.Trail) && !text.StartsWith("file:", StringComparison.OrdinalIgnoreCase);
            if (!named && !LooksLikeUrl(text))
            {
                return true;
            }

            UrlVerdict verdict = allowlist.Check(text);
            if (verdict.IsAllowed)
            {
                return true;
            }

            Denied = verdict;
            Pointer = place.GetPointer();
            return false;
        }
    }
}
