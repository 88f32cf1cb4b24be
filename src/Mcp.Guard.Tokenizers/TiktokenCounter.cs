using Microsoft.ML.Tokenizers;

namespace Mcp.Guard;

/// <summary>Counts tokens exactly, as the models of one vocabulary do.</summary>
public sealed class TiktokenCounter : ITokenCounter
{
    private readonly TiktokenTokenizer _tokenizer;

    /// <summary>Loads a vocabulary; takes some tenths of a second, so make one counter and keep it.</summary>
    /// <param name="encoding"><c>o200k_base</c> or <c>cl100k_base</c>.</param>
    /// <exception cref="ArgumentException">Another vocabulary is named.</exception>
    public TiktokenCounter(string encoding)
    {
        ThrowIfUnknown(encoding);
        _tokenizer = TiktokenTokenizer.CreateForEncoding(encoding);
    }

    /// <inheritdoc/>
    public int Count(ReadOnlySpan<char> text) => _tokenizer.CountTokens(text);

    internal static void ThrowIfUnknown(string encoding)
    {
        if (encoding is not ("o200k_base" or "cl100k_base"))
        {
            throw new ArgumentException($"there is no vocabulary '{encoding}' in this package; use o200k_base or cl100k_base", nameof(encoding));
        }
    }
}
