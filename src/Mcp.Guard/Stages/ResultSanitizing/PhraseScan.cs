using System.Runtime.InteropServices;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Finds the next place where one of many short ASCII phrases stands, wherever it stands. .NET's search for many strings slows down once some hundred
/// phrases share their first letters with ordinary words.
/// </summary>
internal sealed class PhraseScan
{
    private readonly FourCharacters _starts;
    private readonly StringComparison _comparison;

    /// <param name="phrases">ASCII, three characters or more.</param>
    /// <param name="ignoreCase">Whether upper and lower case are the same.</param>
    public PhraseScan(IEnumerable<string> phrases, bool ignoreCase)
    {
        _comparison = ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        _starts = new FourCharacters(phrases, ignoreCase ? FourCharacters.IgnoreCase : 0);
    }

    /// <summary>The index of the next phrase at or after <paramref name="start"/>, or -1.</summary>
    public int Next(ReadOnlySpan<char> text, int start)
    {
        ref char first = ref MemoryMarshal.GetReference(text);
        int last = text.Length - 4;
        int at = start;
        for (; at <= last; at++)
        {
            int group = _starts.GroupAt(ref first, at);
            if (group >= 0 && StandsAt(text, at, group))
            {
                return at;
            }
        }

        for (; at < text.Length; at++)
        {
            int group = _starts.GroupAtEnd(text[at..]);
            if (group >= 0 && StandsAt(text, at, group))
            {
                return at;
            }
        }

        return -1;
    }

    private bool StandsAt(ReadOnlySpan<char> text, int at, int group)
    {
        foreach (string phrase in _starts.Groups[group])
        {
            if (text[at..].StartsWith(phrase, _comparison))
            {
                return true;
            }
        }

        return false;
    }
}
