namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>JSON Pointer (RFC 6901 section 3) and Relative JSON Pointer (draft-bhutton-relative-json-pointer-00 section 3).</summary>
internal static class PointerFormats
{
    public static bool IsPointer(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            return true;
        }

        if (text[0] != (byte)'/')
        {
            return false;
        }

        for (int i = text.IndexOf((byte)'~'); i >= 0 && i < text.Length; i++)
        {
            if (text[i] == (byte)'~' && (i + 1 >= text.Length || text[i + 1] is not ((byte)'0' or (byte)'1')))
            {
                return false;
            }
        }

        return true;
    }

    public static bool IsRelative(ReadOnlySpan<byte> text)
    {
        int digits = 0;
        while (digits < text.Length && char.IsAsciiDigit((char)text[digits]))
        {
            digits++;
        }

        if (digits == 0 || (digits > 1 && text[0] == (byte)'0'))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = text[digits..];
        return rest.SequenceEqual("#"u8) || IsPointer(rest);
    }
}
