using System.Globalization;

namespace Mcp.Guard.Audit;

/// <summary>The names of pieces that recovery set aside: the segment's name, <c>.torn-</c> and the number of the record that the piece would have been.</summary>
internal static class AuditAsideName
{
    private const string Mark = ".torn-";

    public static string Make(string segment, long sequence) => string.Create(CultureInfo.InvariantCulture, $"{segment}{Mark}{sequence}");

    /// <summary>The segment that a piece belonged to.</summary>
    public static bool TryGetSegment(string file, out string? segment)
    {
        int mark = file.IndexOf(Mark, StringComparison.Ordinal);
        segment = mark > 0 ? file[..mark] : null;
        return segment is not null && AuditSegmentName.TryParse(segment, out _);
    }
}
