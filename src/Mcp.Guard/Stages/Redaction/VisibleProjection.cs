using System.Buffers;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// A text without its invisible characters and colours, and where each character that is left stood: a token with a zero width space inside is still
/// a token to whoever pastes it.
/// </summary>
internal ref struct VisibleProjection
{
    /// <summary>The longest sequence that is read as one.</summary>
    private const int MaxColour = 32;

    private char[]? characters;
    private int[]? positions;

    /// <param name="source">The text as it came.</param>
    public VisibleProjection(ReadOnlySpan<char> source)
    {
        int hidden = AttentionMap.Next(source, 0);
        if (hidden == source.Length)
        {
            Text = source;
            return;
        }

        characters = ArrayPool<char>.Shared.Rent(source.Length);
        positions = ArrayPool<int>.Shared.Rent(source.Length);
        int length = 0;
        int i = 0;
        while (i < source.Length)
        {
            for (; i < hidden; i++)
            {
                positions[length] = i;
                characters[length++] = source[i];
            }

            if (i == source.Length)
            {
                break;
            }

            int end = ColourEnd(source, i) is > 0 and int colour ? colour : i + CodePoints.Length(CodePoints.At(source, i));
            if (source[i] is '\r' or '\u0085' or '\u2028' or '\u2029')
            {
                positions[length] = i;
                characters[length++] = '\n';
            }

            i = end;
            hidden = AttentionMap.Next(source, i);
        }

        Text = characters.AsSpan(0, length);
    }

    public ReadOnlySpan<char> Text { get; }

    /// <summary>The index after a sequence that sets a colour (ECMA-48, SGR), or 0. Of others a character could be that of a token.</summary>
    private static int ColourEnd(ReadOnlySpan<char> source, int start)
    {
        int at = start + 1;
        if (source[start] != '\u001b' || at >= source.Length || source[at] != '[')
        {
            return 0;
        }

        do
        {
            at++;
        }
        while (at < source.Length && at - start < MaxColour && (char.IsAsciiDigit(source[at]) || source[at] is ';' or ':'));

        return at < source.Length && source[at] == 'm' ? at + 1 : 0;
    }

    /// <summary>Where a stretch of the projected text lies in the source, invisible characters inside it included.</summary>
    public readonly (int Start, int End) InSource(int start, int end) => positions is null ? (start, end) : (positions[start], positions[end - 1] + 1);

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
}
