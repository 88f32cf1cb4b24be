using System.Buffers;
using System.Globalization;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// A text as it reads where the escapes in it are taken for what they stand for, and where each character stood: <c>\n</c>, <c>\/</c>, <c>\u0022</c> and <c>\x22</c> of
/// JSON and programs, <c>&amp;quot;</c> and <c>&amp;#34;</c> of pages, <c>%22</c> of addresses, each also escaped again. Encoders write <c>"</c>, <c>&amp;</c> and <c>=</c> so
/// around names of secrets. A backslash before a quote stays: how many stand there tells which quote ends a value.
/// </summary>
internal ref struct EscapeProjection
{
    private static readonly SearchValues<char> Marks = SearchValues.Create("\\&%");

    private char[]? characters;
    private int[]? positions;

    /// <param name="source">The text as it came, without invisible characters.</param>
    public EscapeProjection(ReadOnlySpan<char> source)
    {
        int length = 0;
        int taken = 0;
        for (int at = 0; source[at..].IndexOfAny(Marks) is >= 0 and int found;)
        {
            at += found;
            int end = Escape(source, at, out char meant);
            if (meant == '\0')
            {
                at = end;
                continue;
            }

            if (characters is null)
            {
                characters = ArrayPool<char>.Shared.Rent(source.Length);
                positions = ArrayPool<int>.Shared.Rent(source.Length + 1);
            }

            Copy(source, taken, at, ref length);
            positions![length] = at;
            characters[length++] = meant;
            at = taken = end;
        }

        if (characters is null)
        {
            return;
        }

        Copy(source, taken, source.Length, ref length);
        positions![length] = source.Length;
        Text = characters.AsSpan(0, length);
    }

    /// <summary>Whether the text holds an escape; where it holds none there is nothing to read.</summary>
    public readonly bool Differs => characters is not null;

    public ReadOnlySpan<char> Text { get; }

    /// <summary>Where a stretch lies in the source, its last escape whole.</summary>
    public readonly (int Start, int End) InSource(int start, int end) => positions is null ? (start, end) : (positions[start], positions[end]);

    public void Dispose()
    {
        if (characters is not null)
        {
            ArrayPool<char>.Shared.Return(characters, clearArray: true);
            ArrayPool<int>.Shared.Return(positions!);
            characters = null;
            positions = null;
        }
    }

    private readonly void Copy(ReadOnlySpan<char> source, int start, int end, ref int length)
    {
        source[start..end].CopyTo(characters.AsSpan(length));
        for (int i = start; i < end; i++)
        {
            positions![length++] = i;
        }
    }

    /// <summary>The index after what starts with a mark, and what it stands for; NUL where it stands for itself.</summary>
    private static int Escape(ReadOnlySpan<char> text, int start, out char meant) => text[start] switch
    {
        '\\' => Backslash(text, start, out meant),
        '&' => Entity(text, start, out meant),
        _ => Percent(text, start, out meant),
    };

    private static int Backslash(ReadOnlySpan<char> text, int start, out char meant)
    {
        int at = start;
        while (at < text.Length && text[at] == '\\')
        {
            at++;
        }

        ReadOnlySpan<char> rest = text[at..];
        (meant, int length) = rest.IsEmpty ? ('\0', 0) : rest[0] switch
        {
            'n' or 'r' => ('\n', 1),
            't' => ('\t', 1),
            '/' => ('/', 1),
            'u' => (Hexadecimal(rest, 1, 4), 5),
            'x' => (Hexadecimal(rest, 1, 2), 3),
            _ => ('\0', 0),
        };
        return meant == '\0' ? at : at + length;
    }

    private static int Entity(ReadOnlySpan<char> text, int start, out char meant)
    {
        int at = start + 1;
        while (text[at..].StartsWith("amp;", StringComparison.Ordinal))
        {
            at += 4;
        }

        ReadOnlySpan<char> rest = text.Slice(at, Math.Min(8, text.Length - at));
        int length = rest.IndexOf(';') + 1;
        meant = rest[..length] switch
        {
            "quot;" => '"',
            "apos;" => '\'',
            "lt;" => '<',
            "gt;" => '>',
            ['#', 'x' or 'X', .. var digits, ';'] => Number(digits, NumberStyles.AllowHexSpecifier),
            ['#', .. var digits, ';'] => Number(digits, NumberStyles.None),
            _ => '\0',
        };
        if (meant != '\0')
        {
            return at + length;
        }

        meant = at > start + 1 ? '&' : '\0';
        return at;
    }

    private static int Percent(ReadOnlySpan<char> text, int start, out char meant)
    {
        int at = start + 1;
        while (text[at..].StartsWith("25", StringComparison.Ordinal))
        {
            at += 2;
        }

        meant = Hexadecimal(text, at, 2);
        if (meant != '\0')
        {
            return at + 2;
        }

        meant = at > start + 1 ? '%' : '\0';
        return at;
    }

    private static char Hexadecimal(ReadOnlySpan<char> text, int start, int digits) =>
        text.Length - start < digits ? '\0' : Number(text.Slice(start, digits), NumberStyles.AllowHexSpecifier);

    /// <summary>The printable character or line end of ASCII that has a number; names and what parts them from values are written in these.</summary>
    private static char Number(ReadOnlySpan<char> digits, NumberStyles style) =>
        !int.TryParse(digits, style, CultureInfo.InvariantCulture, out int number) ? '\0' : number switch
        {
            '\n' or '\r' => '\n',
            '\t' => '\t',
            >= ' ' and <= '~' => (char)number,
            _ => '\0',
        };
}
