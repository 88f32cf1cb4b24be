namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Reads one character of markup after character references (and, in Markdown, backslash escapes) are undone. Only references to the
/// characters that shape an address are known by name; numeric ones are all read.
/// </summary>
internal readonly ref struct MarkupDecoder
{
    /// <summary>The longest reference read: <c>&amp;#x</c>, digits with leading zeros, a semicolon.</summary>
    private const int MaxReference = 16;

    private readonly ReadOnlySpan<char> text;
    private readonly bool markdown;

    /// <param name="text">The raw text.</param>
    /// <param name="markdown">Whether a backslash escapes punctuation.</param>
    public MarkupDecoder(ReadOnlySpan<char> text, bool markdown)
    {
        this.text = text;
        this.markdown = markdown;
    }

    /// <summary>The character at a raw index ('\0' at the end), and the raw index after it.</summary>
    public char Read(int at, out int next)
    {
        if ((uint)at >= (uint)text.Length)
        {
            next = at;
            return '\0';
        }

        char c = text[at];
        next = at + 1;
        if (c == '&')
        {
            char decoded = Reference(text.Slice(at, Math.Min(MaxReference, text.Length - at)), out int length);
            if (length > 0)
            {
                next = at + length;
                return decoded;
            }
        }
        else if (c == '\\' && markdown && at + 1 < text.Length && char.IsAscii(text[at + 1]) && (char.IsPunctuation(text[at + 1]) || char.IsSymbol(text[at + 1])))
        {
            next = at + 2;
            return text[at + 1];
        }

        return c;
    }

    private static char Reference(ReadOnlySpan<char> text, out int length)
    {
        length = 0;
        if (text.Length > 2 && text[1] == '#')
        {
            bool hex = text[2] is 'x' or 'X';
            int i = hex ? 3 : 2;
            int value = 0;
            int digits = 0;
            for (; i < text.Length && (hex ? char.IsAsciiHexDigit(text[i]) : char.IsAsciiDigit(text[i])); i++, digits++)
            {
                value = Math.Min(0x10FFFF, (value * (hex ? 16 : 10)) + HexValue(text[i]));
            }

            if (digits == 0)
            {
                return '\0';
            }

            length = i < text.Length && text[i] == ';' ? i + 1 : i;
            return value is 0 or > 0xFFFF ? '\uFFFD' : (char)value;
        }

        foreach ((string name, char value) in Names)
        {
            if (text[1..].StartsWith(name, StringComparison.Ordinal))
            {
                length = name.Length + 1;
                return value;
            }
        }

        return '\0';
    }

    private static readonly (string Name, char Value)[] Names =
    [
        ("colon;", ':'), ("sol;", '/'), ("bsol;", '\\'), ("period;", '.'), ("Tab;", '\t'), ("NewLine;", '\n'), ("quest;", '?'),
        ("num;", '#'), ("commat;", '@'), ("lpar;", '('), ("rpar;", ')'), ("lbrace;", '{'), ("lcub;", '{'), ("rbrace;", '}'), ("rcub;", '}'),
        ("quot;", '"'), ("apos;", '\''), ("amp;", '&'), ("lt;", '<'), ("gt;", '>'), ("nbsp;", '\u00a0'),
    ];

    private static int HexValue(char c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
