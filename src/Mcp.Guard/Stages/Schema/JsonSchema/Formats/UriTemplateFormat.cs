namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>URI templates (RFC 6570 section 2), operators reserved for later excluded.</summary>
internal static class UriTemplateFormat
{
    public static bool IsMatch(ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            byte b = text[i];
            switch (b)
            {
                case (byte)'{':
                    int end = text[i..].IndexOf((byte)'}');
                    if (end < 0 || !IsExpression(text.Slice(i + 1, end - 1)))
                    {
                        return false;
                    }

                    i += end;
                    break;
                case (byte)'%':
                    if (!IsEncoded(text, i))
                    {
                        return false;
                    }

                    i += 2;
                    break;
                case <= 0x20 or 0x7F or (byte)'"' or (byte)'<' or (byte)'>' or (byte)'\\' or (byte)'^' or (byte)'`' or (byte)'|' or (byte)'}':
                    return false;
                default:
                    break;
            }
        }

        return true;
    }

    private static bool IsExpression(ReadOnlySpan<byte> inside)
    {
        if (!inside.IsEmpty && "+#./;?&"u8.Contains(inside[0]))
        {
            inside = inside[1..];
        }

        foreach (Range range in inside.Split((byte)','))
        {
            if (!IsVariable(inside[range]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsVariable(ReadOnlySpan<byte> variable)
    {
        if (variable.EndsWith("*"u8))
        {
            variable = variable[..^1];
        }
        else if (variable.IndexOf((byte)':') is >= 0 and int colon)
        {
            // A prefix length: 1 to 9999, without leading zeros.
            ReadOnlySpan<byte> length = variable[(colon + 1)..];
            if (length.Length is 0 or > 4 || length[0] == (byte)'0' || length.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            {
                return false;
            }

            variable = variable[..colon];
        }

        bool afterDot = true;
        for (int i = 0; i < variable.Length; i++)
        {
            byte b = variable[i];
            if (b == (byte)'.')
            {
                if (afterDot)
                {
                    return false;
                }

                afterDot = true;
                continue;
            }

            if (b == (byte)'%')
            {
                if (!IsEncoded(variable, i))
                {
                    return false;
                }

                i += 2;
            }
            else if (!char.IsAsciiLetterOrDigit((char)b) && b != (byte)'_')
            {
                return false;
            }

            afterDot = false;
        }

        return !afterDot;
    }

    private static bool IsEncoded(ReadOnlySpan<byte> text, int at) =>
        at + 2 < text.Length && char.IsAsciiHexDigit((char)text[at + 1]) && char.IsAsciiHexDigit((char)text[at + 2]);
}
