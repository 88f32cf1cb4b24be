namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Finds Markdown images, links and reference definitions. It reads more as an image than CommonMark does (code spans and fences count,
/// unbalanced brackets too): renderers differ, and an address that one of them would load must be found.
/// </summary>
internal static class MarkdownReader
{
    /// <summary>How many open brackets are remembered; the outermost are forgotten first.</summary>
    private const int MaxOpenBrackets = 64;

    /// <summary>The longest label of a reference (CommonMark 6.3).</summary>
    private const int MaxLabel = 999;

    /// <summary>How many closing brackets are tried for one image: a label holds none (CommonMark 6.3), so this is generous and keeps the work linear.</summary>
    private const int MaxClosers = 16;

    /// <summary>How far behind the colon of a definition its address is looked for.</summary>
    private const int MaxBlanks = 32;

    /// <summary>How much of a link's address is looked at for a template or query.</summary>
    private const int MaxLinkText = 512;

    public static void Read(ReadOnlySpan<char> text, ref MarkupFindings findings)
    {
        Span<int> open = stackalloc int[MaxOpenBrackets];
        int depth = 0;
        int lastImage = -1;
        int closers = 0;
        bool? templates = null;
        HashSet<string>? imageLabels = null;
        List<(string Label, MarkupAddress Address)>? definitions = null;
        int i = 0;
        while (i < text.Length)
        {
            int skip = text[i..].IndexOfAny('[', ']', '\\');
            if (skip < 0)
            {
                break;
            }

            i += skip;
            if (text[i] == '\\')
            {
                i += 2;
                continue;
            }

            if (text[i] == '[')
            {
                if (depth == MaxOpenBrackets)
                {
                    open[1..].CopyTo(open);
                    depth--;
                }

                open[depth++] = i++;
                continue;
            }

            char follows = i + 1 < text.Length ? text[i + 1] : '\0';
            int opener = depth > 0 ? open[depth - 1] : -1;
            bool image = opener > 0 && text[opener - 1] == '!' && !(opener > 1 && text[opener - 2] == '\\');
            if (follows == '(')
            {
                depth = Math.Max(0, depth - 1);
                ReadDestination(text, opener, i, image, templates ??= HoldsTemplate(text), ref findings);
                i += 2;
                continue;
            }

            if (opener >= 0 && i - opener - 1 is > 0 and <= MaxLabel)
            {
                if (image)
                {
                    // The bracket stays open: this one may stand in a code span, and the image's own may follow.
                    closers = opener == lastImage ? closers + 1 : 1;
                    lastImage = opener;
                    if (closers <= MaxClosers)
                    {
                        (imageLabels ??= new(StringComparer.Ordinal)).Add(NormalizeLabel(text[(opener + 1)..i]));
                    }
                }
                else if (follows == ':')
                {
                    MarkupAddress address = ReadAddress(text, i + 2, ref findings);
                    if (address.Kind is MarkupAddressKind.Remote or MarkupAddressKind.Script)
                    {
                        (definitions ??= []).Add((NormalizeLabel(text[(opener + 1)..i]), address));
                        JudgeScript(address, image: false, text, ref findings);
                    }

                    depth--;
                }
                else if (opener > 0 && text[opener - 1] == ']')
                {
                    // The label of a full reference, ![text][label]: it may also belong to a link, which costs nothing.
                    (imageLabels ??= new(StringComparer.Ordinal)).Add(NormalizeLabel(text[(opener + 1)..i]));
                    depth--;
                }
            }

            i++;
        }

        if (imageLabels is null || definitions is null)
        {
            return;
        }

        bool anyImage = text.IndexOf("![", StringComparison.Ordinal) >= 0;
        foreach ((string label, MarkupAddress address) in definitions)
        {
            if (anyImage && address.Kind == MarkupAddressKind.Remote && imageLabels.Contains(label))
            {
                findings.AddResource(address);
            }
        }
    }

    private static void ReadDestination(ReadOnlySpan<char> text, int opener, int closer, bool image, bool templates, ref MarkupFindings findings)
    {
        MarkupAddress address = ReadAddress(text, closer + 2, ref findings);
        if (image && address.Kind == MarkupAddressKind.Remote)
        {
            findings.AddResource(address);
            return;
        }

        JudgeScript(address, image, text, ref findings);
        if (!templates && address.Kind != MarkupAddressKind.Remote)
        {
            return;
        }

        ReadOnlySpan<char> destination = Destination(text, closer + 2);
        if (templates && HoldsTemplate(destination))
        {
            findings.Flags |= ContentFlags.ActiveContent;
        }

        if (address.Kind == MarkupAddressKind.Remote)
        {
            if (destination.Contains('?'))
            {
                findings.AddLink(address);
            }

            if (opener >= 0 && LinkText.NamesAnotherHost(text[(opener + 1)..closer], address.Host))
            {
                findings.Flags |= ContentFlags.ActiveContent;
            }
        }
    }

    /// <summary>Script schemes, and data that is no image: a link to it opens a page that the text's author wrote.</summary>
    public static void JudgeScript(MarkupAddress address, bool image, ReadOnlySpan<char> text, ref MarkupFindings findings)
    {
        if (address.Kind == MarkupAddressKind.Script)
        {
            findings.Flags |= ContentFlags.ActiveContent;
        }
        else if (address.Kind == MarkupAddressKind.Data)
        {
            ReadOnlySpan<char> type = text[address.HostStart..].TrimStart();
            bool picture = type.StartsWith("image/", StringComparison.OrdinalIgnoreCase) && !type.StartsWith("image/svg", StringComparison.OrdinalIgnoreCase);
            if (!picture && (!image || !type.StartsWith("image/", StringComparison.OrdinalIgnoreCase)))
            {
                findings.Flags |= ContentFlags.ActiveContent;
            }
        }
    }

    /// <summary>Whether a definition leads nowhere, so that its title is a comment: <c>[//]: # (text)</c>, <c>[x]: &lt;> "text"</c>.</summary>
    public static bool HoldsComment(ReadOnlySpan<char> text)
    {
        int at = 0;
        while (text[at..].IndexOf("]:", StringComparison.Ordinal) is >= 0 and int found)
        {
            at += found + 2;
            ReadOnlySpan<char> target = text.Slice(at, Math.Min(MaxBlanks, text.Length - at)).TrimStart(" \t\r\n");
            if (target.StartsWith('#') || target.StartsWith("<>", StringComparison.Ordinal) || target.StartsWith("<#", StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    public static bool HoldsTemplate(ReadOnlySpan<char> destination) =>
        destination.Contains("{{", StringComparison.Ordinal) || destination.Contains("${", StringComparison.Ordinal)
        || destination.Contains("{%", StringComparison.Ordinal) || destination.Contains("<%", StringComparison.Ordinal)
        || destination.Contains("%7b%7b", StringComparison.OrdinalIgnoreCase);

    private static MarkupAddress ReadAddress(ReadOnlySpan<char> text, int at, ref MarkupFindings findings)
    {
        while (at < text.Length && text[at] is ' ' or '\t' or '\n' or '\r')
        {
            at++;
        }

        if (at < text.Length && text[at] == '<')
        {
            at++;
        }

        return MarkupAddress.Read(text, at, markdown: true, ref findings);
    }

    private static ReadOnlySpan<char> Destination(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && text[at] is ' ' or '\t' or '\n' or '\r' or '<')
        {
            at++;
        }

        ReadOnlySpan<char> rest = text.Slice(at, Math.Min(MaxLinkText, text.Length - at));
        int end = rest.IndexOfAny(")\n\r>");
        return end < 0 ? rest : rest[..end];
    }

    /// <summary>CommonMark 4.7: case folded, inner white space one blank.</summary>
    private static string NormalizeLabel(ReadOnlySpan<char> label)
    {
        Span<char> folded = stackalloc char[MaxLabel];
        int length = 0;
        foreach (char c in label.Trim())
        {
            if (c is ' ' or '\t' or '\n' or '\r')
            {
                if (folded[length - 1] != ' ')
                {
                    folded[length++] = ' ';
                }
            }
            else
            {
                folded[length++] = char.ToLowerInvariant(char.ToUpperInvariant(c));
            }
        }

        return folded[..length].ToString();
    }
}
