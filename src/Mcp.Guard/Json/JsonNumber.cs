using System.Buffers.Text;
using System.Globalization;

namespace Mcp.Guard.Json;

/// <summary>
/// The canonical form of a JSON number: as ECMAScript prints it (RFC 8785 section 3.2.2.3) where that text still means the number that
/// was written, otherwise the literal itself. Two numbers that a double would make equal stay different.
/// </summary>
/// <remarks>
/// The two forms cannot meet: a literal is kept only where the shortest text of its double has another value, so no double prints it.
/// </remarks>
internal static class JsonNumber
{
    /// <summary>Room that a canonical number needs beside the length of its literal.</summary>
    public const int MaxFormattedLength = 32;

    // A double holds every decimal of up to 15 significant digits apart from its neighbours (IEEE 754, DBL_DIG) while it is not subnormal,
    // and no shorter decimal then prints for it: the digits of the literal are the digits of the double.
    private const int ExactDigits = 15;
    private const int ExactExponent = 290;
    private const int MaxDigits = 17;

    /// <summary>Writes the canonical form of a number that a parser has accepted.</summary>
    /// <param name="literal">The number as it was written.</param>
    /// <param name="destination">At least as long as the literal, and <see cref="MaxFormattedLength"/>.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(ReadOnlySpan<byte> literal, Span<byte> destination)
    {
        if (IsShortInteger(literal))
        {
            literal.CopyTo(destination);
            return literal.Length;
        }

        Span<byte> digits = stackalloc byte[MaxDigits];
        if (!TryReadDecimal(literal, digits, out int count, out long exponent))
        {
            literal.CopyTo(destination);
            return literal.Length;
        }

        if (count == 0)
        {
            destination[0] = (byte)'0';
            return 1;
        }

        if (count > ExactDigits || exponent is < -ExactExponent or > ExactExponent)
        {
            Span<byte> shortest = stackalloc byte[MaxFormattedLength];
            Span<byte> shortestDigits = stackalloc byte[MaxDigits];
            if (!double.TryParse(literal, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                || !double.IsFinite(value)
                || !Utf8Formatter.TryFormat(value, shortest, out int length)
                || !TryReadDecimal(shortest[..length], shortestDigits, out int shortestCount, out long shortestExponent)
                || shortestExponent != exponent
                || !shortestDigits[..shortestCount].SequenceEqual(digits[..count]))
            {
                literal.CopyTo(destination);
                return literal.Length;
            }
        }

        return Format(literal[0] == (byte)'-', digits[..count], (int)exponent, destination);
    }

    /// <summary>An integer of up to 15 digits is its own canonical form; only <c>-0</c> is not.</summary>
    public static bool IsShortInteger(ReadOnlySpan<byte> literal)
    {
        ReadOnlySpan<byte> digits = literal[0] == (byte)'-' ? literal[1..] : literal;
        return digits.Length is > 0 and <= ExactDigits
            && digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0
            && (digits[0] != (byte)'0' || literal.Length == 1);
    }

    /// <summary>
    /// Reads a number as 0.d1d2d3... x 10^exponent, the digits without leading or trailing zeros; zero has no digits.
    /// False where there are more digits than any double prints, or the exponent is beyond reason.
    /// </summary>
    private static bool TryReadDecimal(ReadOnlySpan<byte> literal, Span<byte> digits, out int count, out long exponent)
    {
        count = 0;
        exponent = 0;
        ReadOnlySpan<byte> rest = literal[0] == (byte)'-' ? literal[1..] : literal;
        int mark = rest.IndexOfAny((byte)'e', (byte)'E');
        ReadOnlySpan<byte> mantissa = mark < 0 ? rest : rest[..mark];
        int point = mantissa.IndexOf((byte)'.');
        ReadOnlySpan<byte> whole = (point < 0 ? mantissa : mantissa[..point]).TrimStart((byte)'0');
        ReadOnlySpan<byte> fraction = (point < 0 ? [] : mantissa[(point + 1)..]).TrimEnd((byte)'0');
        exponent = whole.Length;
        if (whole.IsEmpty)
        {
            ReadOnlySpan<byte> significant = fraction.TrimStart((byte)'0');
            exponent = significant.Length - fraction.Length;
            fraction = significant;
        }
        else if (fraction.IsEmpty)
        {
            whole = whole.TrimEnd((byte)'0');
        }

        if (whole.IsEmpty && fraction.IsEmpty)
        {
            // Zero, whatever its exponent.
            exponent = 0;
            return true;
        }

        if (whole.Length + fraction.Length > digits.Length)
        {
            return false;
        }

        whole.CopyTo(digits);
        fraction.CopyTo(digits[whole.Length..]);
        count = whole.Length + fraction.Length;
        return mark < 0 || TryAddExponent(rest[(mark + 1)..], ref exponent);
    }

    private static bool TryAddExponent(ReadOnlySpan<byte> text, ref long exponent)
    {
        bool negative = text[0] == (byte)'-';
        ReadOnlySpan<byte> digits = (text[0] is (byte)'-' or (byte)'+' ? text[1..] : text).TrimStart((byte)'0');
        if (digits.Length > 9)
        {
            return false;
        }

        int value = 0;
        foreach (byte digit in digits)
        {
            value = value * 10 + (digit - '0');
        }

        exponent += negative ? -value : value;
        return true;
    }

    /// <summary>Number::toString of ECMA-262: plain digits for exponents from -6 to 21, otherwise with an exponent.</summary>
    private static int Format(bool negative, ReadOnlySpan<byte> digits, int exponent, Span<byte> destination)
    {
        int written = 0;
        if (negative)
        {
            destination[written++] = (byte)'-';
        }

        if (exponent is > 0 and <= 21)
        {
            int whole = Math.Min(exponent, digits.Length);
            digits[..whole].CopyTo(destination[written..]);
            written += whole;
            destination.Slice(written, exponent - whole).Fill((byte)'0');
            written += exponent - whole;
            if (digits.Length > exponent)
            {
                destination[written++] = (byte)'.';
                digits[exponent..].CopyTo(destination[written..]);
                written += digits.Length - exponent;
            }

            return written;
        }

        if (exponent is > -6 and <= 0)
        {
            destination[written++] = (byte)'0';
            destination[written++] = (byte)'.';
            destination.Slice(written, -exponent).Fill((byte)'0');
            written -= exponent;
            digits.CopyTo(destination[written..]);
            return written + digits.Length;
        }

        destination[written++] = digits[0];
        if (digits.Length > 1)
        {
            destination[written++] = (byte)'.';
            digits[1..].CopyTo(destination[written..]);
            written += digits.Length - 1;
        }

        int shown = exponent - 1;
        destination[written++] = (byte)'e';
        destination[written++] = (byte)(shown < 0 ? '-' : '+');
        Utf8Formatter.TryFormat(Math.Abs(shown), destination[written..], out int exponentLength);
        return written + exponentLength;
    }
}
