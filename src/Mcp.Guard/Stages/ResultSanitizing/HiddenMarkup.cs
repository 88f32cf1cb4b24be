using System.Buffers;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Finds gaps that push text out of sight in descriptions: 40 line feeds or 500 blanks in a row.</summary>
internal static class HiddenMarkup
{
    private const int LineFeeds = 40;
    private const int Blanks = 500;

    private static readonly SearchValues<char> White = SearchValues.Create(" \t\n\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000");

    public static bool HasGap(ReadOnlySpan<char> text)
    {
        // A gap of 40 characters covers one position in every 40: only there a run is measured.
        int at = LineFeeds - 1;
        while (at < text.Length)
        {
            if (!IsWhite(text[at]))
            {
                at += LineFeeds;
                continue;
            }

            int start = at;
            while (start > 0 && IsWhite(text[start - 1]))
            {
                start--;
            }

            int length = text[start..].IndexOfAnyExcept(White);
            int end = length < 0 ? text.Length : start + length;
            ReadOnlySpan<char> gap = text[start..end];
            int lines = gap.Count('\n');
            if (lines >= LineFeeds || gap.Length - lines >= Blanks)
            {
                return true;
            }

            at = end + LineFeeds;
        }

        return false;
    }

    /// <summary>Nearly every character is told by one comparison.</summary>
    private static bool IsWhite(char c) => c is > ' ' and < '\u00a0' ? false : White.Contains(c);
}
