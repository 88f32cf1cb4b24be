namespace Mcp.Guard.Policy;

/// <summary>How a server is reached: exactly one of the kinds below.</summary>
internal abstract record ServerEndpoint
{
    private static readonly System.Buffers.SearchValues<char> NeedsQuotes = System.Buffers.SearchValues.Create(" \t\r\n\"\\");

    /// <summary>One text for people and for the binding of grants; two different endpoints never have the same.</summary>
    public abstract string Describe();

    /// <summary>Joins a command and its arguments so that no choice of arguments reads like another.</summary>
    protected static string Join(string first, IReadOnlyList<string> rest) => string.Join(' ', rest.Prepend(first).Select(Quote));

    private static string Quote(string word)
    {
        bool plain = word.Length > 0 && word.AsSpan().IndexOfAny(NeedsQuotes) < 0;
        return plain ? word : "\"" + word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
    }
}
