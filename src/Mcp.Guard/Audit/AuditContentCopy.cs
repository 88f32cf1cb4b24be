using System.Buffers;
using System.Text;

namespace Mcp.Guard.Audit;

/// <summary>
/// Copies JSON text that a parser accepted into a line: blanks between the tokens dropped, everything but printable ASCII escaped, invalid UTF-8 and lone
/// surrogates replaced. One pass, no recursion, stops at the size limit.
/// </summary>
internal static class AuditContentCopy
{
    /// <summary>Nesting up to which common parsers read a record, whose own braces take some of their 64 levels.</summary>
    public const int MaxDepth = 56;

    private static readonly SearchValues<byte> PlainInString = SearchValues.Create(
        " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>Copies; where the outcome is not <see cref="AuditCopyOutcome.Copied"/> or <see cref="AuditCopyOutcome.Replaced"/>, the buffer holds the part before.</summary>
    public static AuditCopyOutcome Copy(ReadOnlySpan<byte> json, AuditBuffer buffer, int maxBytes)
    {
        int end = buffer.Length + maxBytes;
        int depth = 0;
        bool replaced = false;
        byte last = 0;
        int i = 0;
        while (i < json.Length)
        {
            if (buffer.Length > end)
            {
                return AuditCopyOutcome.TooLong;
            }

            byte b = json[i];
            switch (b)
            {
                case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                    i++;
                    break;
                case (byte)'"':
                    last = b;
                    i++;
                    buffer.Raw((byte)'"');
                    AuditCopyOutcome text = CopyString(json, ref i, buffer, end);
                    if (text is AuditCopyOutcome.TooLong or AuditCopyOutcome.NotJson)
                    {
                        return text;
                    }

                    replaced |= text == AuditCopyOutcome.Replaced;
                    break;
                case (byte)'{' or (byte)'[':
                    if (++depth > MaxDepth)
                    {
                        return AuditCopyOutcome.TooDeep;
                    }

                    last = b;
                    buffer.Raw(b);
                    i++;
                    break;
                case (byte)'}' or (byte)']' when last != (byte)',':
                    last = b;
                    depth--;
                    buffer.Raw(b);
                    i++;
                    break;

                // A lenient parser takes comments and commas before an end; the readers of the log do not.
                case > 0x20 and < 0x7f and not ((byte)'/' or (byte)'}' or (byte)']'):
                    last = b;
                    buffer.Raw(b);
                    i++;
                    break;
                default:
                    return AuditCopyOutcome.NotJson;
            }
        }

        return buffer.Length > end ? AuditCopyOutcome.TooLong : replaced ? AuditCopyOutcome.Replaced : AuditCopyOutcome.Copied;
    }

    /// <summary>Copies from after the opening quote to after the closing one.</summary>
    private static AuditCopyOutcome CopyString(ReadOnlySpan<byte> json, ref int i, AuditBuffer buffer, int end)
    {
        bool replaced = false;
        Span<char> units = stackalloc char[2];
        while (i < json.Length)
        {
            ReadOnlySpan<byte> rest = json[i..];
            int plain = rest.IndexOfAnyExcept(PlainInString);
            if (plain < 0)
            {
                return AuditCopyOutcome.NotJson;
            }

            if (buffer.Length + plain > end)
            {
                buffer.Raw(rest[..int.Max(0, end - buffer.Length)]);
                return AuditCopyOutcome.TooLong;
            }

            buffer.Raw(rest[..plain]);
            i += plain;
            rest = rest[plain..];
            switch (rest[0])
            {
                case (byte)'"':
                    buffer.Raw((byte)'"');
                    i++;
                    return replaced ? AuditCopyOutcome.Replaced : AuditCopyOutcome.Copied;
                case (byte)'\\':
                    int taken = CopyEscape(rest, buffer, ref replaced);
                    if (taken == 0)
                    {
                        return AuditCopyOutcome.NotJson;
                    }

                    i += taken;
                    break;
                default:
                    OperationStatus status = Rune.DecodeFromUtf8(rest, out Rune rune, out int consumed);
                    replaced |= status != OperationStatus.Done;
                    int count = rune.EncodeToUtf16(units);
                    for (int unit = 0; unit < count; unit++)
                    {
                        buffer.Escape(units[unit]);
                    }

                    i += consumed;
                    break;
            }
        }

        return AuditCopyOutcome.NotJson;
    }

    /// <summary>Copies one escape, or a surrogate pair of two, and returns its length in the source; 0 where it is none.</summary>
    private static int CopyEscape(ReadOnlySpan<byte> text, AuditBuffer buffer, ref bool replaced)
    {
        if (text.Length < 2)
        {
            return 0;
        }

        if (text[1] != (byte)'u')
        {
            buffer.Raw(text[..2]);
            return 2;
        }

        int first = Unit(text);
        if (first < 0)
        {
            return 0;
        }

        if (!char.IsSurrogate((char)first))
        {
            buffer.Raw(text[..6]);
            return 6;
        }

        int second = char.IsHighSurrogate((char)first) ? Unit(text[6..]) : -1;
        if (second >= 0 && char.IsLowSurrogate((char)second))
        {
            buffer.Raw(text[..12]);
            return 12;
        }

        replaced = true;
        buffer.Escape('\ufffd');
        return 6;
    }

    /// <summary>The code unit of an escape <c>\uXXXX</c> at the start of the text, or -1.</summary>
    private static int Unit(ReadOnlySpan<byte> text)
    {
        if (text.Length < 6 || text[0] != (byte)'\\' || text[1] != (byte)'u')
        {
            return -1;
        }

        int value = 0;
        foreach (byte digit in text.Slice(2, 4))
        {
            if (!char.IsAsciiHexDigit((char)digit))
            {
                return -1;
            }

            value = (value << 4) | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return value;
    }
}
