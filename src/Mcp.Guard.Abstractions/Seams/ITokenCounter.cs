namespace Mcp.Guard;

/// <summary>Counts the tokens of a text. The built-in counter never counts fewer than the truth and may count more.</summary>
public interface ITokenCounter
{
    /// <summary>The number of tokens. Linear in the text; never throws for any text, lone surrogates included.</summary>
    /// <param name="text">The text.</param>
    int Count(ReadOnlySpan<char> text);
}
