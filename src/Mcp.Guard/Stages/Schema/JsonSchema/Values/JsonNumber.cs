using System.Numerics;
using System.Runtime.CompilerServices;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// The exact value of a JSON number: sign, whole mantissa without trailing zeros, power of ten. Never a <see cref="double"/>, and never an
/// integer as large as an exponent says: the mantissa has at most 1,000 digits because the literal has.
/// </summary>
internal readonly struct JsonNumber : IComparable<JsonNumber>
{
    private const int MaxSmallDigits = 19;
    private const int ShortLiteral = 32;

    private readonly ulong _mantissa;
    private readonly BigInteger _large;
    private readonly int _exponent;
    private readonly short _digits;
    private readonly bool _negative;

    private JsonNumber(bool negative, ulong mantissa, BigInteger large, int digits, int exponent)
    {
        _negative = negative;
        _mantissa = mantissa;
        _large = large;
        _digits = (short)digits;
        _exponent = exponent;
    }

    public bool IsZero => _digits == 0;

    public bool IsNegative => _negative;

    public bool IsInteger => _exponent >= 0;

    private bool IsLarge => _digits > MaxSmallDigits;

    private BigInteger Mantissa => IsLarge ? _large : _mantissa;

    /// <summary>Reads a literal that the parser accepted.</summary>
    public static JsonNumber Parse(ReadOnlySpan<byte> literal)
    {
        bool negative = literal[0] == (byte)'-';
        ReadOnlySpan<byte> rest = negative ? literal[1..] : literal;
        int exponentMark = rest.IndexOfAny((byte)'e', (byte)'E');
        int exponent = 0;
        if (exponentMark >= 0)
        {
            ReadOnlySpan<byte> written = rest[(exponentMark + 1)..];
            bool below = written[0] == (byte)'-';
            foreach (byte digit in written[0] is (byte)'-' or (byte)'+' ? written[1..] : written)
            {
                exponent = (exponent * 10) + (digit - '0');
            }

            exponent = below ? -exponent : exponent;
            rest = rest[..exponentMark];
        }

        int point = rest.IndexOf((byte)'.');
        int fraction = point < 0 ? 0 : rest.Length - point - 1;
        Span<byte> digits = stackalloc byte[rest.Length <= ShortLiteral ? ShortLiteral : JsonTextLimits.MaxNumberDigits];
        int count = 0;
        for (int i = 0; i < rest.Length; i++)
        {
            if (i != point && (count > 0 || rest[i] != (byte)'0'))
            {
                digits[count++] = rest[i];
            }
        }

        exponent -= fraction;
        while (count > 0 && digits[count - 1] == (byte)'0')
        {
            count--;
            exponent++;
        }

        if (count == 0)
        {
            return default;
        }

        ReadOnlySpan<byte> significant = digits[..count];
        if (count > MaxSmallDigits)
        {
            return new JsonNumber(negative, 0, Large(significant), count, exponent);
        }

        ulong mantissa = 0;
        foreach (byte digit in significant)
        {
            mantissa = (mantissa * 10) + (ulong)(digit - '0');
        }

        return new JsonNumber(negative, mantissa, default, count, exponent);
    }

    /// <summary>Reads a literal without fraction and exponent of at most 18 digits; false where it is longer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryParseSmall(ReadOnlySpan<byte> literal, out long value)
    {
        value = 0;
        bool negative = literal[0] == (byte)'-';
        int i = negative ? 1 : 0;
        if (literal.Length - i > 18)
        {
            return false;
        }

        for (; i < literal.Length; i++)
        {
            value = (value * 10) + (literal[i] - '0');
        }

        value = negative ? -value : value;
        return true;
    }

    /// <summary>The value as a long where it is a whole number of at most 18 digits.</summary>
    public bool TryGetSmall(out long value)
    {
        value = 0;
        if (_exponent < 0 || _digits + _exponent > 18)
        {
            return false;
        }

        ulong whole = _mantissa;
        for (int i = 0; i < _exponent; i++)
        {
            whole *= 10;
        }

        value = _negative ? -(long)whole : (long)whole;
        return true;
    }

    /// <summary>The value as a count: whole and not negative; anything above the largest int is the largest int, which no instance reaches.</summary>
    public bool TryGetCount(out int count)
    {
        count = int.MaxValue;
        if (_exponent < 0 || (_negative && !IsZero))
        {
            return false;
        }

        if (TryGetSmall(out long value))
        {
            count = (int)Math.Min(value, int.MaxValue);
        }

        return true;
    }

    public int CompareTo(JsonNumber other)
    {
        int sign = IsZero ? 0 : _negative ? -1 : 1;
        int otherSign = other.IsZero ? 0 : other._negative ? -1 : 1;
        if (sign != otherSign || sign == 0)
        {
            return sign.CompareTo(otherSign);
        }

        return sign * CompareMagnitude(other);
    }

    public bool ValueEquals(in JsonNumber other) =>
        _digits == other._digits && _exponent == other._exponent && _negative == other._negative && _mantissa == other._mantissa && _large == other._large;

    public ulong Hash() => NameHash.Mix(IsLarge ? (ulong)_large.GetHashCode() : _mantissa, (ulong)_exponent << 1 | (_negative ? 1UL : 0));

    /// <summary>Whether this is a whole multiple of <paramref name="divisor"/>, exactly.</summary>
    public bool IsMultipleOf(in JsonNumber divisor)
    {
        if (IsZero)
        {
            return true;
        }

        int shift = _exponent - divisor._exponent;
        if (shift < 0)
        {
            // The mantissa has no factor ten left, so it cannot be a multiple of the divisor times a power of ten.
            return false;
        }

        if (!IsLarge && !divisor.IsLarge)
        {
            ulong modulus = divisor._mantissa;
            return modulus == 1 || Multiply(_mantissa % modulus, PowerOfTen(shift, modulus), modulus) == 0;
        }

        BigInteger large = divisor.Mantissa;
        return (Mantissa % large * BigInteger.ModPow(10, shift, large) % large).IsZero;
    }

    private int CompareMagnitude(in JsonNumber other)
    {
        int top = _digits + _exponent;
        int otherTop = other._digits + other._exponent;
        if (top != otherTop)
        {
            return top.CompareTo(otherTop);
        }

        // Same number of places before the point, so the exponents differ by at most the number of digits.
        int shift = _exponent - other._exponent;
        if (!IsLarge && !other.IsLarge)
        {
            UInt128 left = shift > 0 ? Scale(_mantissa, shift) : _mantissa;
            UInt128 right = shift < 0 ? Scale(other._mantissa, -shift) : other._mantissa;
            return left.CompareTo(right);
        }

        BigInteger wide = shift > 0 ? Mantissa * BigInteger.Pow(10, shift) : Mantissa;
        BigInteger otherWide = shift < 0 ? other.Mantissa * BigInteger.Pow(10, -shift) : other.Mantissa;
        return wide.CompareTo(otherWide);
    }

    private static UInt128 Scale(UInt128 value, int places)
    {
        for (; places > 0; places--)
        {
            value *= 10;
        }

        return value;
    }

    private static ulong PowerOfTen(int power, ulong modulus)
    {
        ulong result = 1 % modulus;
        ulong square = 10 % modulus;
        for (int left = power; left > 0; left >>= 1)
        {
            if ((left & 1) != 0)
            {
                result = Multiply(result, square, modulus);
            }

            square = Multiply(square, square, modulus);
        }

        return result;
    }

    private static ulong Multiply(ulong a, ulong b, ulong modulus) => (ulong)((UInt128)a * b % modulus);

    private static BigInteger Large(ReadOnlySpan<byte> digits)
    {
        BigInteger value = BigInteger.Zero;
        for (int i = 0; i < digits.Length; i += 18)
        {
            ReadOnlySpan<byte> part = digits.Slice(i, Math.Min(18, digits.Length - i));
            long chunk = 0;
            long scale = 1;
            foreach (byte digit in part)
            {
                chunk = (chunk * 10) + (digit - '0');
                scale *= 10;
            }

            value = (value * scale) + chunk;
        }

        return value;
    }
}
