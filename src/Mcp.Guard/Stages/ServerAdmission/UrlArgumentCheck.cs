using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
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
    /// <param name="declared">Arguments that are URLs whatever they look like, file URIs too.</param>
    /// <param name="pointer">Where the denied URL stands.</param>
    public static UrlVerdict? FindDenied(JsonElement arguments, UrlAllowlist allowlist, IReadOnlyList<JsonPointerPattern> declared, out string pointer)
    {
        var visitor = new Visitor(allowlist, declared);
        bool walked = JsonStringWalker.TryWalk(arguments, ref visitor);
        return visitor.Found(walked, out pointer);
    }

    /// <summary>The same for the arguments of a request that was read; those that it does not have name nothing.</summary>
    public static UrlVerdict? FindDenied(RequestPayload parameters, UrlAllowlist allowlist, IReadOnlyList<JsonPointerPattern> declared, out string pointer)
    {
        var visitor = new Visitor(allowlist, declared);
        bool walked = parameters.TryWalkArguments(ref visitor);
        return visitor.Found(walked, out pointer);
    }

    private static bool IsUrlName(in JsonStringPlace place)
    {
        if (!place.TryGetNearestName(out ReadOnlySpan<byte> utf8))
        {
            return false;
        }

        string name = Encoding.UTF8.GetString(utf8);
        foreach (string word in Names)
        {
            if (name.EndsWith(word, StringComparison.OrdinalIgnoreCase))
            {
                return true;
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

    private struct Visitor(UrlAllowlist allowlist, IReadOnlyList<JsonPointerPattern> declared) : IJsonStringVisitor
    {
        private UrlVerdict? _denied;
        private string? _pointer;

        /// <summary>What the walk found; arguments that could not be walked are denied.</summary>
        public readonly UrlVerdict? Found(bool walked, out string pointer)
        {
            pointer = walked ? _pointer ?? string.Empty : string.Empty;
            return walked ? _denied : UrlVerdict.Deny(UrlDenial.NotJudged);
        }

        public bool Visit(in JsonStringPlace place)
        {
            if (place.IsName)
            {
                return true;
            }

            string text = place.GetText();
            bool named = text.Length > 0
                && (IsDeclared(in place) || (IsUrlName(in place) && !text.StartsWith("file:", StringComparison.OrdinalIgnoreCase)));
            if (!named && !LooksLikeUrl(text))
            {
                return true;
            }

            UrlVerdict verdict = allowlist.Check(text);
            if (verdict.IsAllowed)
            {
                return true;
            }

            _denied = verdict;
            _pointer = place.GetPointer();
            return false;
        }

        private readonly bool IsDeclared(in JsonStringPlace place)
        {
            for (int i = 0; i < declared.Count; i++)
            {
                if (declared[i].Covers(in place))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
