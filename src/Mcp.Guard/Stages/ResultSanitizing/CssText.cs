using System.Buffers;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// A text with its character references and CSS escapes undone, and where each character stood: <c>u\72l(</c> opens an address for every browser.
/// </summary>
internal ref struct CssText
{
    private char[]? characters;
    private int[]? positions;

    /// <param name="source">The text as it came.</param>
    public CssText(ReadOnlySpan<char> source)
    {
        characters = ArrayPool<char>.Shared.Rent(source.Length + 1);
        positions = ArrayPool<int>.Shared.Rent(source.Length + 1);
        var decoder = new MarkupDecoder(source, markdown: false);
        int length = 0;
        for (int at = 0; at < source.Length;)
        {
            int start = at;
            char c = decoder.Read(at, out at);
            if (c == '\\')
            {
                c = Escape(source, ref at);
            }

            positions[length] = start;
            characters[length++] = c;
        }

        positions[length] = source.Length;
        Text = characters.AsSpan(0, length);
    }

    public ReadOnlySpan<char> Text { get; }

    /// <summary>Whether a text holds anything that is undone here.</summary>
    public static bool IsNeeded(ReadOnlySpan<char> text) => text.Contains('\\') || text.IndexOf("&#", StringComparison.Ordinal) >= 0 || text.IndexOf("&bsol;", StringComparison.Ordinal) >= 0;

    /// <summary>CSS Syntax 3, 4.3.7: up to six hexadecimal digits and one blank, or any character for itself.</summary>
    /// <param name="css">The text.</param>
    /// <param name="at">Where it stands behind the backslash; then behind the escape.</param>
    public static char Escape(ReadOnlySpan<char> css, ref int at)
    {
        int digits = 0;
        int value = 0;
        while (digits < 6 && at < css.Length && char.IsAsciiHexDigit(css[at]))
        {
            value = (value * 16) + (css[at] <= '9' ? css[at] - '0' : (css[at] | 0x20) - 'a' + 10);
            at++;
            digits++;
        }

        if (digits == 0)
        {
            return at < css.Length ? css[at++] : '\\';
        }

        at += at < css.Length && css[at] is ' ' or '\t' or '\n' ? 1 : 0;
        return value is 0 or > 0xFFFF ? '\uFFFD' : (char)value;
    }

    /// <summary>An address of <see cref="Text"/> with the places that its parts have in the source.</summary>
    public readonly MarkupAddress InSource(MarkupAddress address) => address.At(positions);

    public void Dispose()
    {
        if (characters is not null)
        {
            ArrayPool<char>.Shared.Return(characters);
            ArrayPool<int>.Shared.Return(positions!);
            characters = null;
            positions = null;
        }
    }
}
