using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Punycode (RFC 3492) of one label, without its prefix. Labels are short, so the quadratic algorithm of the standard is.</summary>
internal static class Punycode
{
    private const int Base = 36;
    private const int FirstNonAscii = 0x80;

    /// <summary>The code points, or null where the text is no Punycode.</summary>
    public static int[]? Decode(ReadOnlySpan<char> text)
    {
        int delimiter = text.LastIndexOf('-');
        var output = new List<int>();
        foreach (char c in delimiter > 0 ? text[..delimiter] : default)
        {
            output.Add(c);
        }

        int position = delimiter > 0 ? delimiter + 1 : delimiter == 0 ? 1 : 0;
        long next = FirstNonAscii;
        long index = 0;
        int bias = 72;
        bool isFirst = true;
        while (position < text.Length)
        {
            long before = index;
            long weight = 1;
            for (int k = Base; ; k += Base)
            {
                int digit = position < text.Length ? Digit(text[position++]) : -1;
                if (digit < 0)
                {
                    return null;
                }

                index += digit * weight;
                int threshold = Threshold(k, bias);
                if (index > int.MaxValue)
                {
                    return null;
                }

                if (digit < threshold)
                {
                    break;
                }

                weight *= Base - threshold;
                if (weight > int.MaxValue)
                {
                    return null;
                }
            }

            bias = Adapt(index - before, output.Count + 1, isFirst);
            isFirst = false;
            next += index / (output.Count + 1);
            index %= output.Count + 1;
            if (next > 0x10FFFF || next is >= 0xD800 and <= 0xDFFF)
            {
                return null;
            }

            output.Insert((int)index++, (int)next);
        }

        return [.. output];
    }

    /// <summary>The ASCII form, or null where it grows beyond any label.</summary>
    public static string? Encode(ReadOnlySpan<int> codePoints)
    {
        var output = new StringBuilder();
        foreach (int codePoint in codePoints)
        {
            if (codePoint < FirstNonAscii)
            {
                output.Append((char)codePoint);
            }
        }

        int handled = output.Length;
        int basic = handled;
        if (basic > 0)
        {
            output.Append('-');
        }

        int current = FirstNonAscii;
        long delta = 0;
        int bias = 72;
        while (handled < codePoints.Length)
        {
            int smallest = int.MaxValue;
            foreach (int codePoint in codePoints)
            {
                smallest = codePoint >= current && codePoint < smallest ? codePoint : smallest;
            }

            delta += (long)(smallest - current) * (handled + 1);
            current = smallest;
            foreach (int codePoint in codePoints)
            {
                delta += codePoint < current ? 1 : 0;
                if (codePoint != current)
                {
                    continue;
                }

                Append(output, delta, bias);
                if (output.Length > 256)
                {
                    return null;
                }

                bias = Adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled++;
            }

            delta++;
            current++;
        }

        return output.ToString();
    }

    private static void Append(StringBuilder output, long delta, int bias)
    {
        long rest = delta;
        for (int k = Base; ; k += Base)
        {
            int threshold = Threshold(k, bias);
            if (rest < threshold)
            {
                break;
            }

            output.Append(DigitChar(threshold + (int)((rest - threshold) % (Base - threshold))));
            rest = (rest - threshold) / (Base - threshold);
        }

        output.Append(DigitChar((int)rest));
    }

    private static int Threshold(int k, int bias) => Math.Clamp(k - bias, 1, 26);

    private static int Adapt(long delta, int count, bool isFirst)
    {
        delta = isFirst ? delta / 700 : delta / 2;
        delta += delta / count;
        int k = 0;
        while (delta > 455)
        {
            delta /= 35;
            k += Base;
        }

        return k + (int)(36 * delta / (delta + 38));
    }

    private static int Digit(char c) => c switch
    {
        >= 'a' and <= 'z' => c - 'a',
        >= '0' and <= '9' => c - '0' + 26,
        _ => -1,
    };

    private static char DigitChar(int digit) => (char)(digit < 26 ? 'a' + digit : '0' + digit - 26);
}
