using System.Buffers;
using System.Text;
using Mcp.Guard.Unicode;

namespace Mcp.Guard.Stages.Roots;

/// <summary>The rules about the text of a path that hold whatever the roots are: forbidden characters, length, and starts that servers expand.</summary>
internal static class PathRules
{
    /// <summary>Longest Unix path in bytes (PATH_MAX counts the closing NUL of the system's own copy).</summary>
    public const int MaxUnixBytes = 4096;

    /// <summary>Longest Windows path in characters.</summary>
    public const int MaxWindowsChars = 32_767;

    // Characters that no second reading changes. A path made of only these has one reading.
    private static readonly SearchValues<char> PlainUnix = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-,+=@#[](){}!&^~$:?*<>|");

    private static readonly SearchValues<char> PlainWindows = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/\\._-,+=@#[](){}!&^~$:?*<>|");

    /// <summary>Judges the characters and the length. <paramref name="plain"/> says that the text has only one reading.</summary>
    public static bool TryAcceptText(ReadOnlySpan<char> text, PathFlavor flavor, out bool plain, out PathDenial denial)
    {
        plain = false;
        if (!FitsSystem(text, flavor))
        {
            denial = PathDenial.TooLong;
            return false;
        }

        int odd = text.IndexOfAnyExcept(flavor == PathFlavor.Unix ? PlainUnix : PlainWindows);
        if (odd < 0)
        {
            plain = true;
            denial = default;
            return !text.IsEmpty || Fail(PathDenial.Empty, out denial);
        }

        if (text.IsWhiteSpace())
        {
            denial = PathDenial.Empty;
            return false;
        }

        for (int i = odd; i < text.Length; i++)
        {
            char c = text[i];
            if (c is >= ' ' and < '\x7F')
            {
                continue;
            }

            if (c == '\0')
            {
                return Fail(PathDenial.Nul, out denial);
            }

            if (TextHazards.IsControl(c))
            {
                return Fail(PathDenial.ControlCharacter, out denial);
            }

            if (TextHazards.IsBidiControl(c) || TextHazards.IsHiddenBreak(c))
            {
                return Fail(PathDenial.HiddenCharacter, out denial);
            }
        }

        if (TextHazards.HasLoneSurrogate(text))
        {
            return Fail(PathDenial.LoneSurrogate, out denial);
        }

        denial = default;
        return true;
    }

    /// <summary>True where the system could open a path of this length.</summary>
    public static bool FitsSystem(ReadOnlySpan<char> text, PathFlavor flavor) => flavor == PathFlavor.Windows
        ? text.Length <= MaxWindowsChars
        : text.Length <= MaxUnixBytes && (text.Length * 3 <= MaxUnixBytes || Encoding.UTF8.GetByteCount(text) <= MaxUnixBytes);

    public static bool IsSeparator(char c, PathFlavor flavor) => c == '/' || (c == '\\' && flavor == PathFlavor.Windows);

    /// <summary>Judges what a path starts with: options, home directories, variables, schemes, and drives where there are none.</summary>
    public static bool TryAcceptStart(ReadOnlySpan<char> text, PathFlavor flavor, out PathDenial denial)
    {
        denial = default;
        if (text.IsEmpty || IsSeparator(text[0], flavor))
        {
            return true;
        }

        switch (text[0])
        {
            case '-':
                return Fail(PathDenial.OptionLike, out denial);
            case '~':
                return !IsHomeForm(text, flavor) || Fail(PathDenial.HomeExpansion, out denial);
            case '$' or '%' or '`':
                return !IsVariableForm(text, flavor) || Fail(PathDenial.VariableExpansion, out denial);
        }

        if (!char.IsAsciiLetter(text[0]))
        {
            return true;
        }

        if (flavor == PathFlavor.Unix && text.Length > 1 && text[1] == ':')
        {
            return Fail(PathDenial.DriveOnUnix, out denial);
        }

        return !IsSchemeForm(text, flavor) || Fail(PathDenial.Scheme, out denial);
    }

    /// <summary>True for <c>~</c>, <c>~+</c>, <c>~-</c> and <c>~name</c> as a whole first segment.</summary>
    private static bool IsHomeForm(ReadOnlySpan<char> text, PathFlavor flavor)
    {
        ReadOnlySpan<char> name = FirstSegment(text, flavor, out bool more)[1..];
        if (name.IsEmpty || name is "+" or "-")
        {
            return true;
        }

        // bash also expands ~+N and ~-N from its directory stack.
        if (name[0] == '+')
        {
            name = name[1..];
        }

        foreach (char c in name)
        {
            // A surrogate stands for a letter: every script has user names.
            bool inName = char.IsLetterOrDigit(c) || c is '_' or '-' || char.IsSurrogate(c) || (c == '.' && more);
            if (!inName)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsVariableForm(ReadOnlySpan<char> text, PathFlavor flavor)
    {
        if (text[0] == '`' || text.StartsWith("${", StringComparison.Ordinal) || text.StartsWith("$(", StringComparison.Ordinal)
            || text.StartsWith("$env:", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        ReadOnlySpan<char> segment = FirstSegment(text, flavor, out _);
        if (text[0] == '$')
        {
            return IsVariableName(segment[1..], wide: false);
        }

        return text[0] == '%' && segment.Length > 2 && segment[^1] == '%' && IsVariableName(segment[1..^1], wide: true);
    }

    /// <summary>A name of the environment; Windows also has blanks, brackets and dots in them (<c>ProgramFiles(x86)</c>).</summary>
    private static bool IsVariableName(ReadOnlySpan<char> name, bool wide)
    {
        if (name.IsEmpty || char.IsAsciiDigit(name[0]))
        {
            return false;
        }

        foreach (char c in name)
        {
            if (!(char.IsAsciiLetterOrDigit(c) || c == '_' || (wide && c is '(' or ')' or '.' or '-' or ' ')))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>One or more of letter, further scheme characters and colon, before a slash: <c>file:/</c>, <c>jar:file:/</c>, <c>https://</c>.</summary>
    private static bool IsSchemeForm(ReadOnlySpan<char> text, PathFlavor flavor)
    {
        int at = 0;
        while (at < text.Length && char.IsAsciiLetter(text[at]))
        {
            int start = at;
            while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '+' or '.' or '-'))
            {
                at++;
            }

            if (at >= text.Length || text[at] != ':')
            {
                return false;
            }

            at++;
            if (at < text.Length && IsSeparator(text[at], flavor))
            {
                // On Windows a single letter is the drive.
                return !(flavor == PathFlavor.Windows && start == 0 && at == 2);
            }
        }

        return false;
    }

    private static ReadOnlySpan<char> FirstSegment(ReadOnlySpan<char> text, PathFlavor flavor, out bool more)
    {
        int end = flavor == PathFlavor.Windows ? text.IndexOfAny('/', '\\') : text.IndexOf('/');
        ReadOnlySpan<char> rest = end < 0 ? [] : text[end..];
        more = !rest.TrimStart(flavor == PathFlavor.Windows ? "/\\" : "/").IsEmpty;
        return end < 0 ? text : text[..end];
    }

    private static bool Fail(PathDenial reason, out PathDenial denial)
    {
        denial = reason;
        return false;
    }
}
