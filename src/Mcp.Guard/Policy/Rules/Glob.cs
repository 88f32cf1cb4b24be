namespace Mcp.Guard.Policy;

/// <summary>
/// A pattern in which <c>*</c> stands for any text, the empty one included, and every other character for itself, ordinally. Matching takes each
/// literal part once, leftmost first, which is right for this kind of pattern and needs no backtracking.
/// </summary>
internal sealed class Glob
{
    private readonly string[] _parts;

    public Glob(string pattern)
    {
        Pattern = pattern;
        _parts = pattern.Split('*');
    }

    public string Pattern { get; }

    /// <summary>True where the pattern names exactly one text.</summary>
    public bool IsExact => _parts.Length == 1;

    /// <summary>What every match starts with.</summary>
    public string Prefix => _parts[0];

    /// <summary>What every match ends with.</summary>
    public string Suffix => _parts[^1];

    public bool IsMatch(ReadOnlySpan<char> text)
    {
        if (IsExact)
        {
            return text.SequenceEqual(Pattern);
        }

        // The two ends may not share characters: "ab*ba" does not match "aba".
        if (text.Length < Prefix.Length + Suffix.Length || !text.StartsWith(Prefix, StringComparison.Ordinal) || !text.EndsWith(Suffix, StringComparison.Ordinal))
        {
            return false;
        }

        ReadOnlySpan<char> middle = text[Prefix.Length..(text.Length - Suffix.Length)];
        for (int i = 1; i < _parts.Length - 1; i++)
        {
            int at = middle.IndexOf(_parts[i], StringComparison.Ordinal);
            if (at < 0)
            {
                return false;
            }

            middle = middle[(at + _parts[i].Length)..];
        }

        return true;
    }

    public override string ToString() => Pattern;
}
