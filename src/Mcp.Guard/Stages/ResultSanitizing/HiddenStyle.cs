using System.Globalization;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Tells inline styles that hide their element from the reader. Declarations are read one by one, however many there are.</summary>
internal static class HiddenStyle
{
    /// <summary>How much of one declaration is read, blanks, comments and escapes undone.</summary>
    private const int MaxDeclaration = 192;

    /// <summary>A negative offset from here on (in pixels or points) puts an element out of sight.</summary>
    private const double OutOfSight = -500;

    private static readonly string[] Hiding =
    [
        "display:none", "visibility:hidden", "visibility:collapse", "content-visibility:hidden", "color:transparent", "clip:rect(0", "clip-path:inset(100%", "clip-path:inset(50%",
        "clip-path:circle(0", "font-size:0", "font:0", "opacity:0", "filter:opacity(0", "max-height:0", "max-width:0", "height:0", "width:0", "transform:scale(0", "text-indent:-9",
        "left:-9", "top:-9", "right:-9",
    ];

    public static bool Hides(ReadOnlySpan<char> style)
    {
        Span<char> plain = stackalloc char[MaxDeclaration];
        int length = 0;
        long color = -1;
        long background = -2;
        var decoder = new MarkupDecoder(style, markdown: false);
        bool comment = false;
        for (int at = 0; at < style.Length;)
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
            else if (c == ';')
            {
                if (Judge(plain[..length], ref color, ref background))
                {
                    return true;
                }

                length = 0;
            }
            else if (c > ' ' && length < MaxDeclaration)
            {
                plain[length++] = char.ToLowerInvariant(c == '\\' ? CssText.Escape(style, ref at) : c);
            }
        }

        return Judge(plain[..length], ref color, ref background);
    }

    private static bool Judge(ReadOnlySpan<char> declaration, ref long color, ref long background)
    {
        // A quote may stand before the first name where several readings of a tag meet.
        declaration = declaration.TrimStart("\"'");
        foreach (string property in Hiding)
        {
            if (declaration.StartsWith(property, StringComparison.Ordinal) && (property[^1] != '0' || IsZero(declaration[property.Length..])))
            {
                return true;
            }
        }

        int colon = declaration.IndexOf(':');
        if (colon < 0)
        {
            return false;
        }

        ReadOnlySpan<char> value = declaration[(colon + 1)..];
        if (value.EndsWith("!important", StringComparison.Ordinal))
        {
            value = value[..^10];
        }

        switch (declaration[..colon])
        {
            case "color":
                color = ColorOf(value, color);
                return color == background || IsTransparent(value);
            case "background" or "background-color":
                background = ColorOf(value, background);
                return color == background;
            case "font-size":
                return Number(value, out double size, out ReadOnlySpan<char> unit) && size <= (unit is "em" or "rem" ? 0.1 : unit is "%" ? 10 : unit is "px" or "pt" ? 1 : 0);
            case "opacity":
                return Number(value, out double opacity, out ReadOnlySpan<char> share) && opacity <= (share is "%" ? 5 : 0.05);
            case "left" or "top" or "right" or "bottom" or "margin" or "margin-left" or "margin-top" or "margin-right" or "text-indent":
                return Number(value, out double offset, out ReadOnlySpan<char> length) && offset <= (length is "em" or "rem" or "vw" or "vh" or "%" ? -100 : OutOfSight);
            case "transform" when value.StartsWith("translate", StringComparison.Ordinal):
                int open = value.IndexOf('(');
                return open >= 0 && Number(value[(open + 1)..], out double moved, out _) && moved <= OutOfSight;
            default:
                return false;
        }
    }

    /// <summary>The number that a value starts with, and what stands behind it up to a comma or bracket.</summary>
    private static bool Number(ReadOnlySpan<char> value, out double number, out ReadOnlySpan<char> unit)
    {
        int end = 0;
        while (end < value.Length && (char.IsAsciiDigit(value[end]) || value[end] is '.' || (end == 0 && value[end] is '-' or '+')))
        {
            end++;
        }

        int stop = value[end..].IndexOfAny(",)");
        unit = stop < 0 ? value[end..] : value.Slice(end, stop);
        return double.TryParse(value[..end], NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>A colour as a number, so that two ways of writing it are one; another value where it is none of the ways known here.</summary>
    private static long ColorOf(ReadOnlySpan<char> value, long unknown)
    {
        value = value switch { "white" => "ffffff", "black" => "000000", _ => value.TrimStart('#') };
        if (value.Length is not (3 or 6) || !long.TryParse(value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long number))
        {
            return unknown;
        }

        return value.Length == 6 ? number : ((number & 0xF00) << 12 | (number & 0xF00) << 8 | (number & 0xF0) << 8 | (number & 0xF0) << 4 | (number & 0xF) << 4 | (number & 0xF));
    }

    private static bool IsTransparent(ReadOnlySpan<char> value)
    {
        if (value.StartsWith('#'))
        {
            return (value.Length == 5 && value[4] == '0') || (value.Length == 9 && value[7..] is "00");
        }

        int alpha = value.LastIndexOfAny(',', '/');
        bool takesAlpha = value.StartsWith("rgba(", StringComparison.Ordinal) || value.StartsWith("hsla(", StringComparison.Ordinal) || (alpha >= 0 && value[alpha] == '/');
        return takesAlpha && value.EndsWith(')') && Number(value[(alpha + 1)..], out double opacity, out _) && opacity <= 0.05;
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
