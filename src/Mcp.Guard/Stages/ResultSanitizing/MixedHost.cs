namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Finds addresses whose host mixes ASCII letters with look-alikes of ASCII letters in one label, as in a forged sign-in page.</summary>
internal static class MixedHost
{
    private const int MaxHost = 253;

    public static bool Find(ReadOnlySpan<char> text)
    {
        int at = 0;
        while (text[at..].IndexOf("://", StringComparison.Ordinal) is >= 0 and int found)
        {
            at += found + 3;
            bool ascii = false;
            bool lookalike = false;
            for (int i = at; i < text.Length && i - at < MaxHost; i++)
            {
                int point = CodePoints.At(text, i);
                if (point is '.' or '-')
                {
                    ascii = lookalike = false;
                }
                else if (char.IsAsciiLetter(text[i]))
                {
                    ascii = true;
                }
                else if (point >= 0x80 && CodePoints.IsLetter(point))
                {
                    // Accents are ordinary in names; a letter of another script that equals one of ours is not.
                    lookalike |= Lookalikes.Fold(point) < 0x80 && point >= 0x250;
                    i += CodePoints.Length(point) - 1;
                }
                else if (!char.IsAsciiDigit(text[i]))
                {
                    break;
                }

                if (ascii && lookalike)
                {
                    return true;
                }
            }
        }

        return false;
    }
}
