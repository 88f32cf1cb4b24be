namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// Finds the private members of keys that are written as data: a JSON Web Key (RFC 7517, RFC 7518 section 6) in a text, and the key elements of .NET's XML
/// (<c>RSAKeyValue</c>, <c>DSAKeyValue</c>).
/// </summary>
internal static class KeyParameterFinder
{
    /// <summary>The longest key that is looked at: one of 16,384 bits has members of 2,731 characters.</summary>
    private const int MaxKey = 32_768;

    /// <summary>How far before "kty" other members are looked for.</summary>
    private const int MaxBefore = 8192;

    /// <summary>A shorter member is none of a key.</summary>
    private const int MinMember = 16;

    private const string Family = "private-key";
    private const string KeyType = "kty";

    private static readonly string[] Elements = ["<RSAKeyValue", "<DSAKeyValue"];

    private static readonly string[] PrivateElements = ["D", "P", "Q", "DP", "DQ", "InverseQ", "X"];

    /// <summary>What a scan looks for.</summary>
    public static IEnumerable<string> Phrases => [KeyType, .. Elements];

    /// <summary>Whether a member of a JSON object that has a member "kty" is private.</summary>
    public static bool IsPrivate(ReadOnlySpan<char> name) => name is "d" or "p" or "q" or "dp" or "dq" or "qi" or "k";

    /// <summary>Adds the private members of the key at whose mark a scan stopped.</summary>
    /// <param name="text">The text.</param>
    /// <param name="start">Where the mark starts.</param>
    /// <param name="read">How far keys were read: each part of a text is read once, however many marks stand in it.</param>
    /// <param name="matches">Where they are added.</param>
    public static void Find(ReadOnlySpan<char> text, int start, ref int read, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> rest = text[start..];
        if (start < read)
        {
            return;
        }

        if (rest.StartsWith(KeyType, StringComparison.Ordinal))
        {
            WebKey(text, start, ref read, ref matches);
            return;
        }

        foreach (string element in Elements)
        {
            if (rest.StartsWith(element, StringComparison.Ordinal))
            {
                XmlKey(text, start, element, ref read, ref matches);
                return;
            }
        }
    }

    private static void WebKey(ReadOnlySpan<char> text, int mark, ref int read, ref SecretMatches? matches)
    {
        int after = mark + KeyType.Length;
        if (mark == 0 || text[mark - 1] is not ('"' or '\'') || after >= text.Length || text[after] is not ('"' or '\'' or '\\'))
        {
            return;
        }

        int first = ObjectStart(text, Math.Max(read, mark - MaxBefore), mark);
        int end = ObjectEnd(text, mark, Math.Min(text.Length, mark + MaxKey));
        read = end;
        for (int at = first; at < end;)
        {
            int quote = text[at..end].IndexOfAny('"', '\'');
            if (quote < 0)
            {
                break;
            }

            // A name in quotes, a colon, a value in quotes; each quote may be escaped.
            int name = at + quote + 1;
            int length = SecretAlphabet.Run(text[..end], name, SecretAlphabet.Word);
            int colon = AfterQuote(text[..end], name + length);
            at = name + length;
            if (colon >= end || text[colon] != ':' || !IsPrivate(text.Slice(name, length)))
            {
                continue;
            }

            int value = AfterQuote(text[..end], colon + 1);
            int body = SecretAlphabet.Run(text[..end], value, SecretAlphabet.Base64);
            if (body >= MinMember)
            {
                Add(text, value, value + body, ref matches);
                at = value + body;
            }
        }
    }

    /// <summary>Where the object starts that holds an index; objects inside it that end before are passed over.</summary>
    private static int ObjectStart(ReadOnlySpan<char> text, int lowest, int mark)
    {
        int inner = 0;
        for (int at = mark; text[lowest..at].LastIndexOfAny('{', '}') is >= 0 and int brace;)
        {
            at = lowest + brace;
            if (text[at] == '}')
            {
                inner++;
            }
            else if (--inner < 0)
            {
                return at;
            }
        }

        return lowest;
    }

    /// <summary>Where the object ends that holds an index.</summary>
    private static int ObjectEnd(ReadOnlySpan<char> text, int mark, int limit)
    {
        int inner = 0;
        for (int at = mark; text[at..limit].IndexOfAny('{', '}') is >= 0 and int brace; at++)
        {
            at += brace;
            if (text[at] == '{')
            {
                inner++;
            }
            else if (--inner < 0)
            {
                return at;
            }
        }

        return limit;
    }

    /// <summary>The index after blanks, backslashes and one quote.</summary>
    private static int AfterQuote(ReadOnlySpan<char> text, int at)
    {
        bool quoted = false;
        while (at < text.Length && (text[at] is ' ' or '\t' or '\n' or '\\' || (!quoted && text[at] is '"' or '\'')))
        {
            quoted |= text[at] is '"' or '\'';
            at++;
        }

        return at;
    }

    private static void XmlKey(ReadOnlySpan<char> text, int start, string element, ref int read, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> rest = text.Slice(start, Math.Min(MaxKey, text.Length - start));
        int close = rest.IndexOf("</" + element[1..], StringComparison.Ordinal);
        int end = close < 0 ? start + rest.Length : start + close;
        read = end;
        for (int at = start + 1; at < end;)
        {
            int open = text[at..end].IndexOf('<');
            if (open < 0)
            {
                break;
            }

            int name = at + open + 1;
            int length = SecretAlphabet.Run(text[..end], name, SecretAlphabet.Word);
            int value = name + length + 1;
            at = name;
            if (value < end && text[name + length] == '>' && IsPrivateElement(text.Slice(name, length)))
            {
                int stop = text[value..end].IndexOf('<');
                int valueEnd = stop < 0 ? end : value + stop;
                int blanks = text[value..valueEnd].IndexOfAnyExcept(" \t\r\n");
                if (blanks >= 0 && SecretAlphabet.Run(text[..valueEnd], value + blanks, SecretAlphabet.Base64) >= MinMember)
                {
                    Add(text, value, valueEnd, ref matches);
                }

                at = valueEnd;
            }
        }
    }

    private static bool IsPrivateElement(ReadOnlySpan<char> name)
    {
        foreach (string element in PrivateElements)
        {
            if (name.SequenceEqual(element))
            {
                return true;
            }
        }

        return false;
    }

    private static void Add(ReadOnlySpan<char> text, int start, int end, ref SecretMatches? matches)
    {
        matches ??= new();
        matches.Add(start, end, Family);
        matches.AddValue(text[start..end]);
    }
}
