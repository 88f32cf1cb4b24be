using System.Buffers;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>A text with look-alikes of ASCII made ASCII, in a pooled buffer, for the wording heuristics.</summary>
internal ref struct FoldedText
{
    /// <summary>Longer texts are judged as they stand.</summary>
    public const int MaxLength = 1 << 20;

    private char[]? rented;

    /// <param name="text">The text.</param>
    public FoldedText(ReadOnlySpan<char> text)
    {
        rented = ArrayPool<char>.Shared.Rent(text.Length);
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c >= 0x80 && (c is < '\u2E80' or > '\uABFF' and (< '\uAC00' or > '\uD7FF')))
            {
                int point = CodePoints.At(text, i);
                int plain = Lookalikes.Fold(point);
                if (plain < 0x80 && plain != point)
                {
                    Differs = true;
                    rented[length++] = (char)plain;
                    i += CodePoints.Length(point) - 1;
                    continue;
                }
            }

            rented[length++] = c;
        }

        Text = rented.AsSpan(0, length);
    }

    /// <summary>Whether folding changed anything.</summary>
    public bool Differs { get; }

    public ReadOnlySpan<char> Text { get; }

    public void Dispose()
    {
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented);
            rented = null;
        }
    }
}
