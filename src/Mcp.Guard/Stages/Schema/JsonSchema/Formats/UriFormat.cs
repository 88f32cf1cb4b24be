namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>URIs and their references (RFC 3986), IRIs and theirs (RFC 3987), by their grammars.</summary>
internal static class UriFormat
{
    private const string SubDelimiters = "!$&'()*+,;=";

    public static bool IsMatch(ReadOnlySpan<byte> text, bool international, bool needsScheme)
    {
        int end = text.IndexOfAny((byte)'/', (byte)'?', (byte)'#');
        int colon = text.IndexOf((byte)':');
        bool hasColon = colon >= 0 && (end < 0 || colon < end);
        if (hasColon)
        {
            // Without a scheme the first segment of a path may not hold a colon, so this is a scheme or nothing.
            if (!IsScheme(text[..colon]))
            {
                return false;
            }

            text = text[(colon + 1)..];
        }
        else if (needsScheme)
        {
            return false;
        }

        int fragment = text.IndexOf((byte)'#');
        if (fragment >= 0)
        {
            if (!AreAllowed(text[(fragment + 1)..], "/?:@", international, false))
            {
                return false;
            }

            text = text[..fragment];
        }

        int query = text.IndexOf((byte)'?');
        if (query >= 0)
        {
            if (!AreAllowed(text[(query + 1)..], "/?:@", international, true))
            {
                return false;
            }

            text = text[..query];
        }

        if (text.StartsWith("//"u8))
        {
            text = text[2..];
            int slash = text.IndexOf((byte)'/');
            if (!IsAuthority(slash < 0 ? text : text[..slash], international))
            {
                return false;
            }

            text = slash < 0 ? default : text[slash..];
        }

        return AreAllowed(text, "/:@", international, false);
    }

    private static bool IsScheme(ReadOnlySpan<byte> scheme)
    {
        if (scheme.IsEmpty || !char.IsAsciiLetter((char)scheme[0]))
        {
            return false;
        }

        foreach (byte b in scheme)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'+' or (byte)'-' or (byte)'.'))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsAuthority(ReadOnlySpan<byte> authority, bool international)
    {
        int at = authority.IndexOf((byte)'@');
        if (at >= 0)
        {
            if (!AreAllowed(authority[..at], ":", international, false))
            {
                return false;
            }

            authority = authority[(at + 1)..];
        }

        ReadOnlySpan<byte> port = default;
        if (!authority.IsEmpty && authority[0] == (byte)'[')
        {
            int close = authority.IndexOf((byte)']');
            if (close < 0 || !IsLiteral(authority[1..close]))
            {
                return false;
            }

            ReadOnlySpan<byte> after = authority[(close + 1)..];
            if (!after.IsEmpty && after[0] != (byte)':')
            {
                return false;
            }

            port = after.IsEmpty ? after : after[1..];
        }
        else
        {
            int colon = authority.IndexOf((byte)':');
            port = colon < 0 ? default : authority[(colon + 1)..];
            if (!AreAllowed(colon < 0 ? authority : authority[..colon], "", international, false))
            {
                return false;
            }
        }

        return !port.ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }

    private static bool IsLiteral(ReadOnlySpan<byte> literal)
    {
        if (literal.IsEmpty || (literal[0] | 0x20) != 'v')
        {
            return AddressFormats.IsIpv6(literal);
        }

        int dot = literal.IndexOf((byte)'.');
        if (dot < 2 || dot == literal.Length - 1)
        {
            return false;
        }

        foreach (byte digit in literal[1..dot])
        {
            if (!char.IsAsciiHexDigit((char)digit))
            {
                return false;
            }
        }

        return !literal[dot..].Contains((byte)'%') && AreAllowed(literal[(dot + 1)..], ":", false, false);
    }

    /// <summary>Whether each character is unreserved, percent-encoded, a sub-delimiter, or one of those named.</summary>
    private static bool AreAllowed(ReadOnlySpan<byte> text, string more, bool international, bool isQuery)
    {
        for (int i = 0; i < text.Length; i++)
        {
            byte b = text[i];
            if (b >= 0x80)
            {
                int codePoint = Utf8Text.CodePointAt(text, i, out int length);
                if (!international || !IsInternational(codePoint, isQuery))
                {
                    return false;
                }

                i += length - 1;
                continue;
            }

            char c = (char)b;
            if (c == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit((char)text[i + 1]) || !char.IsAsciiHexDigit((char)text[i + 2]))
                {
                    return false;
                }

                i += 2;
            }
            else if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_' or '~')
                && !SubDelimiters.Contains(c, StringComparison.Ordinal) && !more.Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>RFC 3987 section 2.2: ucschar, and iprivate in a query.</summary>
    private static bool IsInternational(int codePoint, bool isQuery) =>
        codePoint is (>= 0xA0 and <= 0xD7FF) or (>= 0xF900 and <= 0xFDCF) or (>= 0xFDF0 and <= 0xFFEF)
        || (codePoint is >= 0x10000 and <= 0xEFFFD && (codePoint & 0xFFFF) <= 0xFFFD && codePoint is < 0xE0000 or >= 0xE1000)
        || (isQuery && codePoint is (>= 0xE000 and <= 0xF8FF) or (>= 0xF0000 and <= 0xFFFFD) or (>= 0x100000 and <= 0x10FFFD));
}
