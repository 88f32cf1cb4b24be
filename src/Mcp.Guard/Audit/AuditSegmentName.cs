using System.Globalization;

namespace Mcp.Guard.Audit;

/// <summary>The file name of a segment: <c>audit-00000007-20261122.jsonl</c>. The number gives the order, the day (UTC) the age.</summary>
internal readonly record struct AuditSegmentName(long Number, DateOnly Day)
{
    public const long MaxNumber = 99_999_999;
    private const string Prefix = "audit-";
    private const string Extension = ".jsonl";
    private const int NumberDigits = 8;
    private const int DayDigits = 8;

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Number:D8}-{Day:yyyyMMdd}{Extension}");

    /// <summary>Reads a name that <see cref="ToString"/> could have written, and no other.</summary>
    public static bool TryParse(ReadOnlySpan<char> name, out AuditSegmentName parsed)
    {
        parsed = default;
        if (name.Length != Prefix.Length + NumberDigits + 1 + DayDigits + Extension.Length
            || !name.StartsWith(Prefix, StringComparison.Ordinal)
            || !name.EndsWith(Extension, StringComparison.Ordinal)
            || name[Prefix.Length + NumberDigits] != '-')
        {
            return false;
        }

        ReadOnlySpan<char> number = name.Slice(Prefix.Length, NumberDigits);
        ReadOnlySpan<char> day = name.Slice(Prefix.Length + NumberDigits + 1, DayDigits);
        if (number.ContainsAnyExceptInRange('0', '9')
            || day.ContainsAnyExceptInRange('0', '9')
            || !DateOnly.TryParseExact(day, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly date))
        {
            return false;
        }

        parsed = new(long.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture), date);
        return parsed.Number > 0;
    }
}
