namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>RFC 3339: section 5.6 for dates and times, appendix A for durations. ASCII digits only.</summary>
internal static class TimeFormats
{
    public static bool IsDateTime(ReadOnlySpan<byte> text) =>
        text.Length > 11 && (text[10] | 0x20) == 't' && IsDate(text[..10]) && IsTime(text[11..]);

    public static bool IsDate(ReadOnlySpan<byte> text)
    {
        if (text.Length != 10 || text[4] != (byte)'-' || text[7] != (byte)'-'
            || !Number(text[..4], out int year) || !Number(text.Slice(5, 2), out int month) || !Number(text.Slice(8, 2), out int day))
        {
            return false;
        }

        bool isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        int days = month switch
        {
            2 => isLeap ? 29 : 28,
            4 or 6 or 9 or 11 => 30,
            >= 1 and <= 12 => 31,
            _ => 0,
        };
        return day >= 1 && day <= days;
    }

    public static bool IsTime(ReadOnlySpan<byte> text)
    {
        if (text.Length < 9 || text[2] != (byte)':' || text[5] != (byte)':'
            || !Number(text[..2], out int hour) || !Number(text.Slice(3, 2), out int minute) || !Number(text.Slice(6, 2), out int second)
            || hour > 23 || minute > 59 || second > 60)
        {
            return false;
        }

        ReadOnlySpan<byte> rest = text[8..];
        if (rest[0] == (byte)'.')
        {
            int digits = 1;
            while (digits < rest.Length && char.IsAsciiDigit((char)rest[digits]))
            {
                digits++;
            }

            if (digits == 1)
            {
                return false;
            }

            rest = rest[digits..];
        }

        if (!Offset(rest, out int offset))
        {
            return false;
        }

        // A leap second is the last of the day in UTC.
        const int day = 24 * 60;
        return second < 60 || ((hour * 60) + minute - offset + day) % day == day - 1;
    }

    public static bool IsDuration(ReadOnlySpan<byte> text)
    {
        if (text.Length < 3 || text[0] != (byte)'P')
        {
            return false;
        }

        ReadOnlySpan<byte> rest = text[1..];
        if (rest[^1] == (byte)'W')
        {
            return Units(rest, "W"u8);
        }

        int time = rest.IndexOf((byte)'T');
        return time < 0
            ? Units(rest, "YMD"u8)
            : (time == 0 || Units(rest[..time], "YMD"u8)) && Units(rest[(time + 1)..], "HMS"u8);
    }

    /// <summary>Numbers each with a unit; the units follow each other without a gap, as the grammar of RFC 3339 has it.</summary>
    private static bool Units(ReadOnlySpan<byte> text, ReadOnlySpan<byte> units)
    {
        int unit = -1;
        int at = 0;
        while (at < text.Length)
        {
            int start = at;
            while (at < text.Length && char.IsAsciiDigit((char)text[at]))
            {
                at++;
            }

            int found = at < text.Length ? units.IndexOf(text[at]) : -1;
            if (at == start || found < 0 || (unit >= 0 && found != unit + 1))
            {
                return false;
            }

            unit = found;
            at++;
        }

        return unit >= 0;
    }

    private static bool Offset(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.Length == 1)
        {
            return (text[0] | 0x20) == 'z';
        }

        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != (byte)':'
            || !Number(text.Slice(1, 2), out int hour) || !Number(text[4..], out int minute) || hour > 23 || minute > 59)
        {
            return false;
        }

        minutes = ((hour * 60) + minute) * (text[0] == (byte)'-' ? -1 : 1);
        return true;
    }

    private static bool Number(ReadOnlySpan<byte> digits, out int value)
    {
        value = 0;
        foreach (byte digit in digits)
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }

            value = (value * 10) + (digit - '0');
        }

        return true;
    }
}
