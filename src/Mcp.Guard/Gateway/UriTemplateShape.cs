namespace Mcp.Guard.Gateway;

/// <summary>
/// Which URIs a template (RFC 6570) could expand to: its literal parts in their order, anything between them. It errs towards yes, for it decides between servers:
/// two that could mean a URI are told apart by its qualified form, never by a guess.
/// </summary>
internal sealed class UriTemplateShape
{
    private readonly string[] _literals;

    private UriTemplateShape(string[] literals) => _literals = literals;

    public static UriTemplateShape Of(string template)
    {
        var literals = new List<string>();
        int start = 0;
        while (true)
        {
            int open = template.IndexOf('{', start);
            int close = open < 0 ? -1 : template.IndexOf('}', open);
            if (close < 0)
            {
                // An expression without its end is read as text, and as one that could be anything.
                literals.Add(open < 0 ? template[start..] : template[start..open]);
                if (open >= 0)
                {
                    literals.Add(string.Empty);
                }

                return new UriTemplateShape([.. literals]);
            }

            literals.Add(template[start..open]);
            start = close + 1;
        }
    }

    /// <summary>Whether the template could expand to this URI. Takes time in proportion to the URI's length times the number of literals at most.</summary>
    public bool CouldBe(string uri)
    {
        if (_literals.Length == 1)
        {
            return string.Equals(uri, _literals[0], StringComparison.Ordinal);
        }

        string first = _literals[0];
        string last = _literals[^1];
        if (uri.Length < first.Length + last.Length || !uri.StartsWith(first, StringComparison.Ordinal) || !uri.EndsWith(last, StringComparison.Ordinal))
        {
            return false;
        }

        // The earliest place for each literal leaves the most room for those behind it.
        ReadOnlySpan<char> rest = uri.AsSpan(first.Length, uri.Length - first.Length - last.Length);
        foreach (string literal in _literals.AsSpan(1, _literals.Length - 2))
        {
            int at = rest.IndexOf(literal, StringComparison.Ordinal);
            if (at < 0)
            {
                return false;
            }

            rest = rest[(at + literal.Length)..];
        }

        return true;
    }
}
