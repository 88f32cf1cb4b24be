using System.Globalization;
using System.Text;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Policy;

/// <summary>Reads the small notations of a policy (durations, sizes, names) and shows foreign text safely in messages.</summary>
internal static class PolicyText
{
    private const int MaxLooked = 1024;

    /// <summary>The longest duration.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromDays(3650);

    /// <summary>
    /// A text in single quotes, cut, controls and invisible characters as code points, so that a message cannot be forged by a policy. What looks like a credential, and
    /// the user information and query of an address, are left out: messages are printed and logged, and that is what is wrong with some of these texts.
    /// </summary>
    public static string Quote(string text) => Quote(WithoutCredentials(text), 64);

    /// <summary>The same for a path, which is useless where it is cut.</summary>
    public static string QuotePath(string path) => Quote(path, 4_096);

    private static string WithoutCredentials(string text)
    {
        string head = SecretRedactor.Default.RedactBeginning(text, MaxLooked);
        int authority = head.IndexOf("//", StringComparison.Ordinal) + 2;
        if (authority < 2)
        {
            return head;
        }

        int query = head.IndexOf('?', authority);
        head = query < 0 ? head : head[..(query + 1)] + "...";
        int user = head.LastIndexOf('@');
        return user < authority ? head : string.Concat(head.AsSpan(0, authority), "...", head.AsSpan(user));
    }

    private static string Quote(string text, int longest)
    {
        var shown = new StringBuilder("'");
        int count = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (++count > longest)
            {
                shown.Append('…');
                break;
            }

            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            bool plain = category is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.PrivateUse or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
            shown.Append(plain ? rune.ToString() : string.Create(CultureInfo.InvariantCulture, $"<U+{rune.Value:X4}>"));
        }

        return shown.Append('\'').ToString();
    }

    /// <summary>A whole number and one of <c>ms</c>, <c>s</c>, <c>m</c>, <c>h</c>, <c>d</c>, nothing between: "30s".</summary>
    public static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = default;
        int digits = CountDigits(text);
        if (digits is 0 or > 12 || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out long count))
        {
            return false;
        }

        long ticks = text.AsSpan(digits) switch
        {
            "ms" => TimeSpan.TicksPerMillisecond,
            "s" => TimeSpan.TicksPerSecond,
            "m" => TimeSpan.TicksPerMinute,
            "h" => TimeSpan.TicksPerHour,
            "d" => TimeSpan.TicksPerDay,
            _ => 0,
        };
        if (ticks == 0 || count > MaxDuration.Ticks / ticks)
        {
            return false;
        }

        duration = new(count * ticks);
        return true;
    }

    /// <summary>The shortest notation of a duration, as <see cref="TryDuration"/> reads it; parts of a millisecond are rounded up.</summary>
    public static string Duration(TimeSpan duration)
    {
        (long ticks, string unit) = duration.Ticks switch
        {
            var t when t % TimeSpan.TicksPerDay == 0 => (TimeSpan.TicksPerDay, "d"),
            var t when t % TimeSpan.TicksPerHour == 0 => (TimeSpan.TicksPerHour, "h"),
            var t when t % TimeSpan.TicksPerMinute == 0 => (TimeSpan.TicksPerMinute, "m"),
            var t when t % TimeSpan.TicksPerSecond == 0 => (TimeSpan.TicksPerSecond, "s"),
            _ => (TimeSpan.TicksPerMillisecond, "ms"),
        };
        long count = (duration.Ticks / ticks) + (duration.Ticks % ticks > 0 ? 1 : 0);
        return duration == TimeSpan.Zero ? "0s" : count.ToString(CultureInfo.InvariantCulture) + unit;
    }

    /// <summary>A whole number and one of <c>B</c>, <c>KiB</c>, <c>MiB</c>, <c>GiB</c>: "512MiB".</summary>
    public static bool TrySize(string text, out long bytes)
    {
        bytes = 0;
        int digits = CountDigits(text);
        if (digits is 0 or > 15 || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out long count))
        {
            return false;
        }

        long unit = text.AsSpan(digits) switch
        {
            "B" => 1,
            "KiB" => 1L << 10,
            "MiB" => 1L << 20,
            "GiB" => 1L << 30,
            _ => 0,
        };
        if (unit == 0 || count > long.MaxValue / unit)
        {
            return false;
        }

        bytes = count * unit;
        return true;
    }

    /// <summary>An id of a server, rule or secret: letters, digits, <c>.</c>, <c>_</c>, <c>-</c> of ASCII, the first a letter or digit.</summary>
    public static bool IsId(string text, int longest) =>
        text.Length > 0 && text.Length <= longest && char.IsAsciiLetterOrDigit(text[0])
        && text.AsSpan().IndexOfAnyExcept(IdCharacters) < 0;

    /// <summary>A control character, or half of a surrogate pair.</summary>
    public static bool HasControl(string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (Rune.IsControl(rune) || (rune == Rune.ReplacementChar && !text.Contains('\uFFFD', StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The known word that was probably meant, or null.</summary>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        if (word.Length is 0 or > 64)
        {
            return null;
        }

        string? best = null;
        int bestDistance = Math.Max(1, word.Length / 3) + 1;
        foreach (string candidate in known)
        {
            int distance = string.Equals(candidate, word, StringComparison.OrdinalIgnoreCase) ? 0 : Distance(word, candidate);
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best;
    }

    private static readonly System.Buffers.SearchValues<char> IdCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    private static int CountDigits(string text)
    {
        int end = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        return end < 0 ? text.Length : end;
    }

    /// <summary>Optimal string alignment distance: one insertion, deletion, substitution or swap of neighbours counts one.</summary>
    private static int Distance(string a, string b)
    {
        int[] beforePrevious = new int[b.Length + 1];
        int[] previous = new int[b.Length + 1];
        int[] current = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            previous[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = a[i - 1] == b[j - 1] ? 0 : 1;
                int best = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    best = Math.Min(best, beforePrevious[j - 2] + 1);
                }

                current[j] = best;
            }

            (beforePrevious, previous, current) = (previous, current, beforePrevious);
        }

        return previous[b.Length];
    }
}
