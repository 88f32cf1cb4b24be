namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Tells inline styles that hide their element from the reader.</summary>
internal static class HiddenStyle
{
    /// <summary>How much of a style is read, blanks and comments left out.</summary>
    private const int MaxStyle = 1024;

    private static readonly string[] Hiding =
    [
        "display:none", "visibility:hidden", "visibility:collapse", "color:transparent", "clip:rect(0", "clip-path:inset(100%", "clip-path:inset(50%",
        "font-size:0", "opacity:0", "max-height:0", "max-width:0", "height:0", "width:0", "transform:scale(0", "text-indent:-9", "left:-9", "top:-9", "right:-9",
    ];

    public static bool Hides(ReadOnlySpan<char> style)
    {
        Span<char> plain = stackalloc char[MaxStyle];
        int length = 0;
        var decoder = new MarkupDecoder(style, markdown: false);
        bool comment = false;
        for (int at = 0; at < style.Length && length < MaxStyle;)
        {
            char c = decoder.Read(at, out at);
            if (comment)
            {
                comment = !(c == '*' && at < style.Length && style[at] == '/');
                at += comment ? 0 : 1;
            }
            else if (c == '/' && at < style.Length && style[at] == '*')
            {
                comment = true;
                at++;
            }
            else if (c > ' ')
            {
                plain[length++] = char.ToLowerInvariant(c);
            }
        }

        ReadOnlySpan<char> declarations = plain[..length];
        foreach (string property in Hiding)
        {
            int from = 0;
            while (declarations[from..].IndexOf(property, StringComparison.Ordinal) is >= 0 and int found)
            {
                int start = from + found;
                from = start + property.Length;
                bool wholeName = start == 0 || declarations[start - 1] is ';' or '"' or '\'';
                if (wholeName && (property[^1] != '0' || IsZero(declarations[from..])))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether what follows a 0 leaves it zero: a unit or the end, not ".5" or another digit that counts.</summary>
    private static bool IsZero(ReadOnlySpan<char> rest)
    {
        int at = 0;
        while (at < rest.Length && rest[at] is '.' or '0')
        {
            at++;
        }

        return at >= rest.Length || !char.IsAsciiDigit(rest[at]);
    }
}
