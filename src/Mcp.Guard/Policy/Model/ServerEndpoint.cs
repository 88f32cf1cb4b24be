namespace Mcp.Guard.Policy;

/// <summary>How a server is reached: exactly one of the kinds below.</summary>
internal abstract record ServerEndpoint
{
    private static readonly System.Buffers.SearchValues<char> NeedsQuotes = System.Buffers.SearchValues.Create(" \t\r\n\"\\");

    /// <summary>One text for people and for the binding of grants; two different endpoints never have the same.</summary>
    public abstract string Describe();

    /// <summary>Writes words so that no choice of them reads like another.</summary>
    protected static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(Quote));

    /// <summary>A word as it is, or in quotes where it holds a blank, a quote or a backslash.</summary>
    protected static string Quote(string word) =>
        word.Length > 0 && word.AsSpan().IndexOfAny(NeedsQuotes) < 0
            ? word
            : "\"" + word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
}
