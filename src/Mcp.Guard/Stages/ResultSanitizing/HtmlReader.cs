using System.Buffers;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Finds HTML that loads, submits, runs or hides. It looks at each attribute of whatever may be a tag, in two readings at once: the one of
/// the HTML tokenizer, and the one where every '&lt;' before a letter starts afresh (a Markdown renderer escapes a '&lt;' that is no
/// complete tag, so the next one counts). A tag is over only when it is over in both.
/// </summary>
internal static class HtmlReader
{
    /// <summary>How much of an unquoted value is looked at; a quoted one is read to its quote.</summary>
    private const int MaxUnquoted = 256;

    /// <summary>How many characters of link text are compared with the link's host.</summary>
    private const int MaxLinkText = 300;

    /// <summary>What can change the reading inside a tag or a quoted value, and what can inside an unquoted value too.</summary>
    private static readonly SearchValues<char> TagStops = SearchValues.Create("<>=\"'");
    private static readonly SearchValues<char> UnquotedStops = SearchValues.Create("<>=\"' \t\n\r\f");

    private static readonly SearchValues<char> UnquotedEnds = SearchValues.Create(" \t\n\r\f>");

    private enum TokenState
    {
        Outside,
        Tag,
        BeforeValue,
        Unquoted,
        DoubleQuoted,
        SingleQuoted,
    }

    [Flags]
    private enum Elements
    {
        None = 0,
        Linking = 1,
        Meta = 2,
        Object = 4,
        Animating = 8,
    }

    public static void Read(ReadOnlySpan<char> text, ref MarkupFindings findings)
    {
        TokenState whole = TokenState.Outside;
        TokenState fresh = TokenState.Outside;
        Elements elements = Elements.None;
        bool styles = false;
        MarkupAddress anchor = default;
        int i = 0;
        while (i < text.Length)
        {
            if (whole == TokenState.Outside && fresh == TokenState.Outside)
            {
                elements = Elements.None;
                int skip = text[i..].IndexOf('<');
                if (skip < 0)
                {
                    break;
                }

                i += skip;
            }
            else if (whole != TokenState.BeforeValue && fresh != TokenState.BeforeValue)
            {
                int skip = text[i..].IndexOfAny(whole == TokenState.Unquoted || fresh == TokenState.Unquoted ? UnquotedStops : TagStops);
                if (skip < 0)
                {
                    break;
                }

                i += skip;
            }

            char c = text[i];
            if (c == '<' && i + 1 < text.Length && char.IsAsciiLetter(text[i + 1]))
            {
                ReadOnlySpan<char> name = ElementName(text[(i + 1)..]);
                elements |= ElementOf(name);
                styles |= name.Equals("style", StringComparison.OrdinalIgnoreCase);
                if (name.Equals("script", StringComparison.OrdinalIgnoreCase))
                {
                    findings.Flags |= ContentFlags.ActiveContent;
                }

                if (name.Equals("details", StringComparison.OrdinalIgnoreCase) || IsHidden(text[(i + 1 + name.Length)..]))
                {
                    findings.HidesInDescriptions = true;
                }

                if (IsScriptScheme(name))
                {
                    // An autolink of Markdown takes any scheme.
                    MarkdownReader.JudgeScript(MarkupAddress.Read(text, i + 1, markdown: true, ref findings), image: false, text, ref findings);
                }

                fresh = TokenState.Tag;
                whole = whole == TokenState.Outside ? TokenState.Tag : whole;
                i += 1 + name.Length;
                continue;
            }

            if (c == '<' && IsComment(text[i..]))
            {
                findings.HidesInDescriptions = true;
            }

            if (whole == TokenState.Outside && fresh == TokenState.Outside)
            {
                i++;
                continue;
            }

            if (c == '=')
            {
                ReadOnlySpan<char> name = AttributeName(text, i);
                if (!name.IsEmpty)
                {
                    styles |= JudgeAttribute(text, i, name, elements, ref findings, ref anchor);
                }
            }

            whole = Step(whole, c);
            fresh = Step(fresh, c);
            i++;
            if (c == '>' && anchor.Kind == MarkupAddressKind.Remote && fresh == TokenState.Outside)
            {
                ReadOnlySpan<char> shown = text.Slice(i, Math.Min(MaxLinkText, text.Length - i));
                if (LinkText.NamesAnotherHost(shown, anchor.Host))
                {
                    findings.Flags |= ContentFlags.ActiveContent;
                }

                anchor = default;
            }
        }

        if (styles)
        {
            ReadStyleAddresses(text, ref findings);
            if (CssText.IsNeeded(text))
            {
                ReadEscapedStyleAddresses(text, ref findings);
            }
        }
    }

    private static TokenState Step(TokenState state, char c) => state switch
    {
        TokenState.Outside => state,
        TokenState.Tag => c switch { '>' => TokenState.Outside, '=' => TokenState.BeforeValue, _ => state },
        TokenState.BeforeValue => c switch
        {
            '>' => TokenState.Outside,
            '"' => TokenState.DoubleQuoted,
            '\'' => TokenState.SingleQuoted,
            _ => IsBlank(c) ? state : TokenState.Unquoted,
        },
        TokenState.Unquoted => c == '>' ? TokenState.Outside : IsBlank(c) ? TokenState.Tag : state,
        TokenState.DoubleQuoted => c == '"' ? TokenState.Tag : state,
        _ => c == '\'' ? TokenState.Tag : state,
    };

    /// <summary>Judges one attribute; true where it holds style.</summary>
    private static bool JudgeAttribute(ReadOnlySpan<char> text, int equals, ReadOnlySpan<char> name, Elements elements, ref MarkupFindings findings, ref MarkupAddress anchor)
    {
        if (name.Length > 4 && name.StartsWith("on", StringComparison.OrdinalIgnoreCase) && !name.ContainsAnyExceptInRange('A', 'z'))
        {
            findings.Flags |= ContentFlags.ActiveContent;
            return false;
        }

        Span<char> lower = stackalloc char[MaxAttributeName];
        name.ToLowerInvariant(lower);
        int start = ValueStart(text, equals + 1, out char quote);
        switch (lower[..name.Length])
        {
            case "src" or "poster" or "background" or "lowsrc" or "dynsrc" or "action" or "formaction" or "xlink:href" or "manifest" or "codebase" or "classid" or "profile" or "icon":
                Load(text, start, ref findings);
                return false;
            case "srcset" or "imagesrcset" or "ping" or "archive":
                LoadEach(Value(text, start, quote), text, start, ref findings);
                return false;
            case "srcdoc":
                findings.Flags |= ContentFlags.ActiveContent;
                return false;
            case "href":
                if ((elements & Elements.Linking) != 0)
                {
                    Load(text, start, ref findings);
                }
                else
                {
                    anchor = Link(text, start, quote, ref findings);
                }

                return false;
            case "data" when (elements & Elements.Object) != 0:
                Load(text, start, ref findings);
                return false;
            case "content" when (elements & Elements.Meta) != 0:
                LoadRefresh(text, start, Value(text, start, quote), ref findings);
                return false;
            case "values" or "to" or "from" or "by" when (elements & Elements.Animating) != 0:
                Load(text, start, ref findings);
                return false;
            case "fill" or "stroke" or "filter" or "mask" or "clip-path" or "cursor" or "marker" or "marker-start" or "marker-mid" or "marker-end":
                // Presentation attributes of SVG take url(...) as styles do.
                return true;
            case "style":
                if (HiddenStyle.Hides(Value(text, start, quote)))
                {
                    findings.Flags |= ContentFlags.HiddenMarkup;
                }

                return true;
            default:
                return false;
        }
    }

    private static void Load(ReadOnlySpan<char> text, int start, ref MarkupFindings findings)
    {
        MarkupAddress address = MarkupAddress.Read(text, start, markdown: false, ref findings);
        if (address.Kind == MarkupAddressKind.Remote)
        {
            findings.AddResource(address);
        }
        else
        {
            MarkdownReader.JudgeScript(address, image: true, text, ref findings);
        }
    }

    /// <summary>A list of addresses with descriptors, separated by commas or blanks.</summary>
    private static void LoadEach(ReadOnlySpan<char> value, ReadOnlySpan<char> text, int start, ref MarkupFindings findings)
    {
        int at = 0;
        while (at < value.Length)
        {
            int before = findings.Resources.Count;
            Load(text, start + at, ref findings);
            int from = findings.Resources.Count > before ? Math.Max(at + 1, findings.Resources[^1].HostEnd - start) : at + 1;
            if (from >= value.Length)
            {
                break;
            }

            int next = value[from..].IndexOfAny(", \t\n");
            if (next < 0)
            {
                break;
            }

            at = from + next + 1;
        }
    }

    private static MarkupAddress Link(ReadOnlySpan<char> text, int start, char quote, ref MarkupFindings findings)
    {
        MarkupAddress address = MarkupAddress.Read(text, start, markdown: false, ref findings);
        MarkdownReader.JudgeScript(address, image: false, text, ref findings);
        if (address.Kind == MarkupAddressKind.Other)
        {
            return address;
        }

        ReadOnlySpan<char> value = Value(text, start, quote);
        if (MarkdownReader.HoldsTemplate(value))
        {
            findings.Flags |= ContentFlags.ActiveContent;
        }

        if (address.Kind == MarkupAddressKind.Remote && value.Contains('?'))
        {
            findings.AddLink(address);
        }

        return address;
    }

    /// <summary>The content of a refresh: seconds, then an address. Other metadata (a page's preview image) loads nothing.</summary>
    private static void LoadRefresh(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> value, ref MarkupFindings findings)
    {
        int at = 0;
        while (at < value.Length && (IsBlank(value[at]) || char.IsAsciiDigit(value[at]) || value[at] == '.'))
        {
            at++;
        }

        if (at >= value.Length || (value[at] is not (';' or ',') && at == 0))
        {
            return;
        }

        // A blank behind the seconds will do: "0 url=...".
        while (at < value.Length && (IsBlank(value[at]) || value[at] is ';' or ','))
        {
            at++;
        }

        ReadOnlySpan<char> rest = value[Math.Min(at, value.Length)..];
        if (rest.StartsWith("url", StringComparison.OrdinalIgnoreCase))
        {
            int mark = rest.IndexOf('=');
            if (mark >= 0)
            {
                at += mark + 1;
                while (at < value.Length && (IsBlank(value[at]) || value[at] is '"' or '\''))
                {
                    at++;
                }
            }
        }

        Load(text, start + at, ref findings);
    }

    /// <summary>The same addresses where the words that open them, or they themselves, are written with escapes of CSS.</summary>
    private static void ReadEscapedStyleAddresses(ReadOnlySpan<char> text, ref MarkupFindings findings)
    {
        using var css = new CssText(text);
        var found = new MarkupFindings();
        ReadStyleAddresses(css.Text, ref found);
        findings.Flags |= found.Flags;
        IReadOnlyList<MarkupAddress> resources = found.Resources;
        for (int i = 0; i < resources.Count; i++)
        {
            findings.AddResource(css.InSource(resources[i]));
        }
    }

    /// <summary>Addresses in style sheets: url(...) and @import.</summary>
    private static void ReadStyleAddresses(ReadOnlySpan<char> text, ref MarkupFindings findings)
    {
        foreach (string opening in (ReadOnlySpan<string>)["url(", "@import", "image-set("])
        {
            int at = 0;
            while (at < text.Length)
            {
                int found = text[at..].IndexOf(opening, StringComparison.OrdinalIgnoreCase);
                if (found < 0)
                {
                    break;
                }

                at += found + opening.Length;
                int start = at;
                while (start < text.Length && start - at < MaxUnquoted && (IsBlank(text[start]) || text[start] is '"' or '\''))
                {
                    start++;
                }

                Load(text, start, ref findings);
            }
        }
    }

    private const int MaxAttributeName = 24;

    /// <summary>The name before an '=', or nothing where what stands there is no attribute of a tag (as in the query of an address).</summary>
    private static ReadOnlySpan<char> AttributeName(ReadOnlySpan<char> text, int equals)
    {
        int end = equals;
        for (int blanks = 0; end > 0 && IsBlank(text[end - 1]) && blanks < MaxUnquoted; blanks++)
        {
            end--;
        }

        int start = end;
        while (start > 0 && end - start < MaxAttributeName && (char.IsAsciiLetterOrDigit(text[start - 1]) || text[start - 1] is '-' or ':' or '_'))
        {
            start--;
        }

        bool separated = start > 0 && (IsBlank(text[start - 1]) || text[start - 1] is '"' or '\'' or '/');
        return separated && start < end ? text[start..end] : default;
    }

    private static int ValueStart(ReadOnlySpan<char> text, int at, out char quote)
    {
        int limit = Math.Min(text.Length, at + MaxUnquoted);
        while (at < limit && IsBlank(text[at]))
        {
            at++;
        }

        quote = at < text.Length && text[at] is '"' or '\'' ? text[at] : '\0';
        return quote == '\0' ? at : at + 1;
    }

    private static ReadOnlySpan<char> Value(ReadOnlySpan<char> text, int start, char quote)
    {
        ReadOnlySpan<char> rest = text[Math.Min(start, text.Length)..];
        if (quote != '\0')
        {
            int close = rest.IndexOf(quote);
            return close < 0 ? rest[..Math.Min(rest.Length, MaxUnquoted)] : rest[..close];
        }

        rest = rest[..Math.Min(rest.Length, MaxUnquoted)];
        int end = rest.IndexOfAny(UnquotedEnds);
        return end < 0 ? rest : rest[..end];
    }

    private static ReadOnlySpan<char> ElementName(ReadOnlySpan<char> text)
    {
        int length = 0;
        while (length < text.Length && length < MaxAttributeName && (char.IsAsciiLetterOrDigit(text[length]) || text[length] is '-' or ':' or '.' or '_'))
        {
            length++;
        }

        return text[..length];
    }

    private static Elements ElementOf(ReadOnlySpan<char> name)
    {
        Span<char> lower = stackalloc char[MaxAttributeName];
        name.ToLowerInvariant(lower);
        return lower[..name.Length] switch
        {
            "link" or "base" or "image" or "use" or "feimage" or "script" or "mpath" or "pattern" or "filter" or "svg:image" => Elements.Linking,
            "meta" => Elements.Meta,
            "object" => Elements.Object,
            "animate" or "set" or "animatetransform" or "animatemotion" => Elements.Animating,
            _ => Elements.None,
        };
    }

    private static bool IsScriptScheme(ReadOnlySpan<char> name)
    {
        foreach (string scheme in (ReadOnlySpan<string>)["javascript:", "vbscript:", "livescript:", "mocha:", "data:"])
        {
            if (name.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Comments as an HTML tokenizer reads them: "&lt;!" that is no document type, and "&lt;?" (of XML and PHP only what a description shows as code).</summary>
    private static bool IsComment(ReadOnlySpan<char> rest) =>
        rest.Length > 2 && (rest[1] == '!'
            ? rest[2] is '-' or '[' || (char.IsLetter(rest[2]) && !rest[2..].StartsWith("doctype", StringComparison.OrdinalIgnoreCase))
            : rest[1] == '?' && char.IsLetter(rest[2]) && !rest[2..].StartsWith("xml", StringComparison.OrdinalIgnoreCase) && !rest[2..].StartsWith("php", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether the tag whose attributes start here has the attribute "hidden".</summary>
    private static bool IsHidden(ReadOnlySpan<char> attributes)
    {
        ReadOnlySpan<char> tag = attributes[..Math.Min(MaxUnquoted, attributes.Length)];
        int end = tag.IndexOfAny('<', '>');
        tag = end < 0 ? tag : tag[..end];
        for (int at = 0; tag[at..].IndexOf("hidden", StringComparison.OrdinalIgnoreCase) is >= 0 and int found;)
        {
            int start = at + found;
            at = start + 6;
            bool alone = start > 0 && (IsBlank(tag[start - 1]) || tag[start - 1] is '/' or '"' or '\'')
                && (at == tag.Length ? end >= 0 : IsBlank(tag[at]) || tag[at] is '/' or '=');
            if (alone)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f';
}
