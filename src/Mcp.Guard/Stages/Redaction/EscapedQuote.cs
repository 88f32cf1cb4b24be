namespace Mcp.Guard.Stages.Redaction;

/// <summary>Finds the quote that ends a value, in text that may be escaped once or more (JSON in a string of JSON).</summary>
internal static class EscapedQuote
{
    /// <summary>How many characters of escaping are followed: a text in a text in a text in a text.</summary>
    public const int MaxEscapes = 15;

    /// <summary>The index of the quote that ends what a quote opened, or -1 where its line ends before.</summary>
    /// <param name="text">The text.</param>
    /// <param name="start">The index behind the opening quote.</param>
    /// <param name="quote">The quote.</param>
    /// <param name="escapes">How many backslashes stood before the opening quote; as many stand before the closing one.</param>
    public static int Closing(ReadOnlySpan<char> text, int start, char quote, int escapes)
    {
        int at = start;
        while (text[at..].IndexOfAny(quote, '\n') is >= 0 and int found)
        {
            at += found;
            if (text[at] == '\n')
            {
                return -1;
            }

            // At the depth of escaping that opened the value a quote ends it, also behind an escaped backslash; deeper ones are part of it, one of less depth ends what is around.
            int slashes = Slashes(text, start, at);
            if (slashes % (2 * (escapes + 1)) == escapes || (slashes < escapes && slashes % 2 == 0))
            {
                return at;
            }

            at++;
        }

        return -1;
    }

    /// <summary>How many backslashes stand right before an index, from <paramref name="start"/> on.</summary>
    public static int Slashes(ReadOnlySpan<char> text, int start, int at)
    {
        int slashes = 0;
        while (at - slashes > start && text[at - slashes - 1] == '\\')
        {
            slashes++;
        }

        return slashes;
    }
}
