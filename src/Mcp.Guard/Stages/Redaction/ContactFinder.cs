namespace Mcp.Guard.Stages.Redaction;

/// <summary>Finds mail addresses and telephone numbers in international form; an option, since both are often what a text is about.</summary>
internal static class ContactFinder
{
    private const int MaxLocalPart = 64;
    private const int MaxDomain = 253;

    public static void Find(ReadOnlySpan<char> text, ref SecretMatches? matches)
    {
        int at = 0;
        while (at < text.Length)
        {
            int found = text[at..].IndexOfAny('@', '+');
            if (found < 0)
            {
                return;
            }

            int mark = at + found;
            at = text[mark] == '@' ? Mail(text, mark, ref matches) : Telephone(text, mark, ref matches);
        }
    }

    private static int Mail(ReadOnlySpan<char> text, int mark, ref SecretMatches? matches)
    {
        int start = mark;
        while (start > 0 && mark - start < MaxLocalPart && (char.IsLetterOrDigit(text[start - 1]) || text[start - 1] is '.' or '_' or '-' or '+' or '%'))
        {
            start--;
        }

        int end = mark + 1;
        int dot = -1;
        while (end < text.Length && end - mark < MaxDomain && (char.IsLetterOrDigit(text[end]) || text[end] is '.' or '-'))
        {
            dot = text[end] == '.' && end + 1 < text.Length && char.IsLetter(text[end + 1]) ? end : dot;
            end++;
        }

        if (start < mark && dot > mark + 1 && end - dot > 2)
        {
            (matches ??= new()).Add(start, text[end - 1] == '.' ? end - 1 : end, "mail");
        }

        return end;
    }

    private static int Telephone(ReadOnlySpan<char> text, int mark, ref SecretMatches? matches)
    {
        int end = mark + 1;
        int digits = 0;
        int last = end;
        while (end < text.Length && end - mark < 24 && (char.IsAsciiDigit(text[end]) || text[end] is ' ' or '-' or '(' or ')' or '.'))
        {
            if (char.IsAsciiDigit(text[end]))
            {
                digits++;
                last = end + 1;
            }

            end++;
        }

        bool alone = mark == 0 || !char.IsLetterOrDigit(text[mark - 1]);
        if (alone && digits is >= 8 and <= 15 && mark + 1 < text.Length && char.IsAsciiDigit(text[mark + 1]))
        {
            (matches ??= new()).Add(mark, last, "telephone");
            return last;
        }

        return mark + 1;
    }
}
