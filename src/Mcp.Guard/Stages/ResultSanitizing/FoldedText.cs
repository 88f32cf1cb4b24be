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
        int next = Lookalikes.Next(text, 0);
        if (next == text.Length)
        {
            return;
        }

        rented = ArrayPool<char>.Shared.Rent(text.Length);
        int length = 0;
        int taken = 0;
        while (next < text.Length)
        {
            text[taken..next].CopyTo(rented.AsSpan(length));
            length += next - taken;
            int point = CodePoints.At(text, next);
            int plain = Lookalikes.Fold(point);
            taken = next;
            if (plain < 0x80 && plain != point)
            {
                Differs = true;
                rented[length++] = (char)plain;
                taken += CodePoints.Length(point);
            }

            next = Lookalikes.Next(text, Math.Max(taken, next + 1));
        }

        text[taken..].CopyTo(rented.AsSpan(length));
        Text = rented.AsSpan(0, length + text.Length - taken);
    }

    /// <summary>Whether folding changed anything; <see cref="Text"/> is empty otherwise.</summary>
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
