using System.Buffers;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// The output of one pass over a text, which allocates nothing as long as the output equals the input: until the first change it is only
/// a position in the input, from then on a pooled buffer.
/// </summary>
internal ref struct TextBuffer
{
    private readonly ReadOnlySpan<char> source;
    private char[]? rented;
    private int length;

    /// <param name="source">The input.</param>
    public TextBuffer(ReadOnlySpan<char> source)
    {
        this.source = source;
    }

    public readonly bool Changed => rented is not null;

    /// <summary>Everything written so far.</summary>
    public readonly ReadOnlySpan<char> Written => rented is null ? source[..length] : rented.AsSpan(0, length);

    /// <summary>Takes over the input from <paramref name="start"/> to <paramref name="end"/> as it is. Unchanged output must be taken in order.</summary>
    public void Keep(int start, int end)
    {
        if (rented is null)
        {
            length = end;
            return;
        }

        Append(source[start..end]);
    }

    /// <summary>Leaves out input: from here on the output differs.</summary>
    public void Drop()
    {
        if (rented is null)
        {
            rented = ArrayPool<char>.Shared.Rent(Math.Max(256, source.Length));
            source[..length].CopyTo(rented);
        }
    }

    /// <summary>Writes text that is not in the input.</summary>
    public void Write(scoped ReadOnlySpan<char> text)
    {
        Drop();
        Append(text);
    }

    public void Write(char c)
    {
        Drop();
        Append([c]);
    }

    /// <summary>Takes three characters out of what was written. Only for changed output.</summary>
    public void RemoveAll(char first, char second, char third)
    {
        Span<char> all = rented.AsSpan(0, length);
        int kept = 0;
        foreach (char c in all)
        {
            if (c != first && c != second && c != third)
            {
                all[kept++] = c;
            }
        }

        length = kept;
    }

    public void Dispose()
    {
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented);
            rented = null;
        }
    }

    private void Append(scoped ReadOnlySpan<char> text)
    {
        if (text.Length > rented!.Length - length)
        {
            char[] larger = ArrayPool<char>.Shared.Rent(Math.Max(length + text.Length, 2 * rented.Length));
            rented.AsSpan(0, length).CopyTo(larger);
            ArrayPool<char>.Shared.Return(rented);
            rented = larger;
        }

        text.CopyTo(rented.AsSpan(length));
        length += text.Length;
    }
}
