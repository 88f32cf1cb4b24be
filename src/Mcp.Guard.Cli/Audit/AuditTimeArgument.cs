using System.Globalization;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Audit;

/// <summary>Reads a moment from the command line: a date, a date with a time, or how long ago.</summary>
internal static class AuditTimeArgument
{
    private const string Forms = "Use 2026-11-24, 2026-11-24T18:30, 2026-11-24T18:30:00+01:00 (without an offset it is UTC), or 90s, 15m, 2h, 7d ago.";

    private static readonly string[] Formats =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss",
    ];

    /// <exception cref="CommandFault">The text is no moment.</exception>
    public static DateTimeOffset Parse(string option, string text, DateTimeOffset now)
    {
        if (DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset moment))
        {
            return moment;
        }

        double unit = text.Length < 2 ? 0 : text[^1] switch
        {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => 0,
        };
        return unit > 0 && long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out long count) && count * unit < 86_400.0 * 36_500
            ? now - TimeSpan.FromSeconds(count * unit)
            : throw new CommandFault($"{option} '{text}' is no time", Forms);
    }
}
