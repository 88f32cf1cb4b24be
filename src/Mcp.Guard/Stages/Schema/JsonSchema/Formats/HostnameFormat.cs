using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// Host names: RFC 1123 section 2.1 with A-labels that are real ones, and internationalised names by RFC 5890 to 5893. What the Unicode
/// data of the platform does not hold (joining types, bidirectional classes, compatibility forms) is approximated by blocks.
/// </summary>
internal static class HostnameFormat
{
    private const int MaxName = 253;
    private const int MaxLabel = 63;

    public static bool IsHostname(ReadOnlySpan<byte> text) => IsLdhName(text) && LabelsHold(text);

    /// <summary>Letters, digits and hyphens in labels, no more said about them.</summary>
    public static bool IsLdhName(ReadOnlySpan<byte> text)
    {
        if (text.Length is 0 or > MaxName)
        {
            return false;
        }

        foreach (Range range in text.Split((byte)'.'))
        {
            if (!IsLdhLabel(text[range]))
            {
                return false;
            }
        }

        return true;
    }

    public static bool IsIdnHostname(ReadOnlySpan<byte> text)
    {
        // The longest name that can be valid takes four bytes for each of its characters at most.
        if (text.Length is 0 or > MaxName * 4)
        {
            return false;
        }

        string[] labels = Encoding.UTF8.GetString(text).Split('.', '\u3002', '\uFF0E', '\uFF61');
        int total = labels.Length - 1;
        var decoded = new int[labels.Length][];
        bool isBidirectional = false;
        for (int i = 0; i < labels.Length; i++)
        {
            if (Unicode(labels[i], out int ascii) is not { } label)
            {
                return false;
            }

            total += ascii;
            decoded[i] = label;
            isBidirectional |= IdnaLabel.IsRightToLeft(label);
        }

        return total <= MaxName && (!isBidirectional || Array.TrueForAll(decoded, IdnaLabel.KeepsBidiRule));
    }

    /// <summary>A domain of an international mail address: labels of any letters, without the rules of IDNA.</summary>
    public static bool IsLooseIdn(ReadOnlySpan<byte> text)
    {
        if (text.Length is 0 or > MaxName * 4)
        {
            return false;
        }

        foreach (Range range in text.Split((byte)'.'))
        {
            ReadOnlySpan<byte> label = text[range];
            if (label.IsEmpty || label[0] == (byte)'-' || label[^1] == (byte)'-')
            {
                return false;
            }

            foreach (byte b in label)
            {
                if (b < 0x80 && !char.IsAsciiLetterOrDigit((char)b) && b != (byte)'-')
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static bool LabelsHold(ReadOnlySpan<byte> text)
    {
        foreach (Range range in text.Split((byte)'.'))
        {
            ReadOnlySpan<byte> label = text[range];
            if (IdnaLabel.HasPrefix(label) && Unicode(Encoding.ASCII.GetString(label), out _) is not { } decoded)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsLdhLabel(ReadOnlySpan<byte> label)
    {
        if (label.Length is 0 or > MaxLabel || label[0] == (byte)'-' || label[^1] == (byte)'-')
        {
            return false;
        }

        foreach (byte b in label)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b != (byte)'-')
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The code points of a label, decoded where it is an A-label; null where it is no label. <paramref name="ascii"/> is its length in ASCII form.</summary>
    private static int[]? Unicode(string label, out int ascii)
    {
        ascii = label.Length;
        byte[] bytes = Encoding.UTF8.GetBytes(label);
        if (IdnaLabel.HasPrefix(bytes))
        {
            string lower = label.ToLowerInvariant();
            return IsLdhLabel(bytes) && Punycode.Decode(lower.AsSpan(4)) is { } decoded && IdnaLabel.IsValid(decoded, true)
                && string.Equals(Punycode.Encode(decoded), lower[4..], StringComparison.Ordinal)
                ? decoded
                : null;
        }

        if (Ascii.IsValid(label))
        {
            // Hyphens in the third and fourth place are kept for prefixes like xn--.
            bool isReserved = label.Length > 3 && label[2] == '-' && label[3] == '-';
            return IsLdhLabel(bytes) && !isReserved ? Array.ConvertAll(bytes, b => (int)b) : null;
        }

        var codePoints = new List<int>();
        foreach (Rune rune in label.EnumerateRunes())
        {
            codePoints.Add(rune.Value);
        }

        int[] points = [.. codePoints];
        if (!IdnaLabel.IsValid(points, false) || Punycode.Encode(points) is not { } encoded)
        {
            return null;
        }

        ascii = encoded.Length + 4;
        return ascii <= MaxLabel ? points : null;
    }
}
