namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Folds characters that look like ASCII to ASCII: other dress and accents by their Unicode decomposition, and letters of other scripts
/// that share the glyph (a selection of UTS 39's idea, written for names and marker words, not the whole table).
/// </summary>
internal static class Lookalikes
{
    /// <summary>The look-alike of each UTF-16 unit, in pages of 256; null where a page has none.</summary>
    private static readonly char[]?[] Glyphs = Build(
        // Cyrillic
        ("\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u043a\u043c\u0442\u043d\u0432\u04cf\u04af\u0475\u0454", "aeopcyxijsdqwhkmthblyve"),
        ("\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405\u0417\u0474\u04c0\u050c\u051a\u051c", "ABEKMHOPCTYXIJS3VIGQW"),
        // Greek
        ("\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c5\u03c7\u03b5\u03b3\u03c4\u03f2\u03f3", "aopvikuxeytcj"),
        ("\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7", "ABEZHIKMNOPTYX"),
        // Armenian, Cherokee, Latin letters of their own
        ("\u0578\u057d\u0585\u0570\u0581\u0584\u0566\u0561\u13a0\u13a1\u13a2\u13aa\u13ac\u13b3\u13bb\u13d2\u13da\u13de\u13df", "nuohgfqwDRTAEWHRSLC"),
        ("\u0131\u0251\u0261\u026a\u0269\u0274\u0280\u028f\u1d00\u1d04\u1d05\u1d07\u1d0a\u1d0b\u1d0d\u1d0f\u1d18\u1d1b\u1d1c\u1d20\u1d21\u1d22\u0142\u0141\u00f8\u00d8\u0111\u0110\u0127", "iagiinryacdejkmoptuvwzlLoOdDh"),
        // Brackets, bars and hyphens
        ("\u2039\u203a\u27e8\u27e9\u3008\u3009\uff1c\uff1e\u276e\u276f\u2329\u232a\uff5c\u2223\u01c0\uff3b\uff3d\u2010\u2011\u2012\u2013\u2212\uff0d\uff3f\u2581\uff1a\uff03\uff0f", "<><><><><><>|||[]------__:#/"));

    /// <summary>One bit for each UTF-16 unit that has a look-alike or is the first half of a character that may have one.</summary>
    private static readonly ulong[] Folding = BuildFolding();

    /// <summary>The index of the next character that may have a look-alike, or the length of the text.</summary>
    public static int Next(ReadOnlySpan<char> text, int start)
    {
        ulong[] bits = Folding;
        int at = start;
        while (at < text.Length)
        {
            int skip = text[at..].IndexOfAnyExceptInRange('\0', '\u007f');
            if (skip < 0)
            {
                return text.Length;
            }

            for (at += skip; at < text.Length && text[at] >= 0x80; at++)
            {
                char c = text[at];
                if ((bits[c >> 6] >> (c & 63) & 1) != 0)
                {
                    return at;
                }
            }
        }

        return text.Length;
    }

    /// <summary>The ASCII look-alike of a code point, or the code point itself.</summary>
    public static int Fold(int point)
    {
        if (point < 0x80)
        {
            return point;
        }

        if (point <= 0xFFFF && Glyphs[point >> 8] is { } page && page[point & 0xFF] is > '\0' and char glyph)
        {
            return glyph;
        }

        char ascii = CodePoints.AsciiLookalike(point);
        return ascii == '\0' ? point : ascii;
    }

    /// <summary>Folds as much of a text as fits and returns how much was written.</summary>
    public static int Fold(ReadOnlySpan<char> text, Span<char> folded)
    {
        int length = 0;
        for (int i = 0; i < text.Length && length < folded.Length; i++)
        {
            int point = CodePoints.At(text, i);
            int plain = Fold(point);
            i += CodePoints.Length(point) - 1;
            if (CodePoints.IsDefaultIgnorable(plain) || CodePoints.IsMark(plain))
            {
                continue;
            }

            folded[length++] = plain <= 0xFFFF ? (char)plain : '\uFFFD';
        }

        return length;
    }

    private static ulong[] BuildFolding()
    {
        var bits = new ulong[1024];
        for (int page = 0; page < Glyphs.Length; page++)
        {
            for (int low = 0; Glyphs[page] is { } glyphs && low < glyphs.Length; low++)
            {
                if (glyphs[low] != '\0')
                {
                    Mark((page << 8) | low);
                }
            }
        }

        foreach ((int from, int to) in CodePoints.AsciiLookalikes)
        {
            for (int point = Math.Max(0x80, from); point <= to; point++)
            {
                Mark(point);
            }
        }

        return bits;

        void Mark(int point)
        {
            int unit = point <= 0xFFFF ? point : char.ConvertFromUtf32(point)[0];
            bits[unit >> 6] |= 1UL << (unit & 63);
        }
    }

    private static char[]?[] Build(params (string From, string To)[] rows)
    {
        var glyphs = new char[]?[256];
        foreach ((string from, string to) in rows)
        {
            for (int i = 0; i < from.Length; i++)
            {
                (glyphs[from[i] >> 8] ??= new char[256])[from[i] & 0xFF] = to[i];
            }
        }

        return glyphs;
    }
}
