using System.Buffers;

namespace Mcp.Guard.Stages.Roots;

/// <summary>What Win32 reads into the names of a path; pure functions of the text, the same on every system.</summary>
internal static class WindowsNames
{
    private static readonly SearchValues<char> Forbidden = SearchValues.Create("*?<>\"|");

    private static readonly string[] Reserved = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"];

    /// <summary>
    /// A device name with any extension. Trailing blanks before the extension do not help: Win32 drops them. COM and LPT take a digit or
    /// one of the superscripts one to three. (Microsoft: Naming files, paths and namespaces.)
    /// </summary>
    public static bool IsReserved(ReadOnlySpan<char> segment)
    {
        int end = segment.IndexOfAny('.', ':');
        ReadOnlySpan<char> name = (end < 0 ? segment : segment[..end]).Trim(' ');
        foreach (string reserved in Reserved)
        {
            if (name.Equals(reserved, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return name.Length == 4
            && (name.StartsWith("COM", StringComparison.OrdinalIgnoreCase) || name.StartsWith("LPT", StringComparison.OrdinalIgnoreCase))
            && (char.IsAsciiDigit(name[3]) || name[3] is '\u00B9' or '\u00B2' or '\u00B3');
    }

    /// <summary>Looks like a generated short name: at most eight characters that end in a tilde and digits, and at most three after one dot.</summary>
    public static bool IsShortName(ReadOnlySpan<char> segment)
    {
        int dot = segment.IndexOf('.');
        ReadOnlySpan<char> name = dot < 0 ? segment : segment[..dot];
        ReadOnlySpan<char> extension = dot < 0 ? [] : segment[(dot + 1)..];
        if (name.Length is < 2 or > 8 || extension.Length > 3 || extension.Contains('.'))
        {
            return false;
        }

        int tilde = name.LastIndexOf('~');
        return tilde >= 0 && tilde < name.Length - 1 && !name[(tilde + 1)..].ContainsAnyExceptInRange('0', '9');
    }

    /// <summary>Judges one segment as a name below a drive or share.</summary>
    public static bool TryAccept(ReadOnlySpan<char> segment, out PathDenial denial)
    {
        denial = default;
        if (segment is "." or ".." || segment.IsEmpty)
        {
            return true;
        }

        if (segment.Contains(':'))
        {
            denial = PathDenial.Stream;
        }
        else if (segment.ContainsAny(Forbidden))
        {
            denial = PathDenial.ForbiddenCharacter;
        }
        else if (segment[^1] is '.' or ' ')
        {
            denial = segment.ContainsAnyExcept('.') ? PathDenial.TrailingDotOrBlank : PathDenial.DotsOnlySegment;
        }
        else if (IsReserved(segment))
        {
            denial = PathDenial.ReservedName;
        }
        else
        {
            return true;
        }

        return false;
    }
}
