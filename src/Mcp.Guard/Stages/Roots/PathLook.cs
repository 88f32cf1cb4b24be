using System.Buffers;
using Mcp.Guard.Unicode;

namespace Mcp.Guard.Stages.Roots;

/// <summary>Tells by its text whether a string could be a path that leaves a folder: absolute, a file URI, dot-dot, tilde; also encoded.</summary>
internal static class PathLook
{
    private const int MaxRounds = 4;

    // Without one of these no reading of a text is absolute, a URI, a tilde or dot-dot.
    private static readonly SearchValues<byte> Signs = SearchValues.Create("/\\~%:"u8);

    // What most words and short texts are made of: none of the signs, no dot, no other script.
    private static readonly SearchValues<byte> Plain = SearchValues.Create(
        " !\"#$&'()*+,-0123456789;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}"u8);

    /// <summary>A cheap first look at a text that was written without escapes: false where it cannot look like a path. Other scripts always pass.</summary>
    public static bool MayLookLikePath(ReadOnlySpan<byte> utf8) =>
        utf8.ContainsAnyExcept(Plain)
        && (utf8.ContainsAny(Signs) || utf8.IndexOf(".."u8) >= 0 || !System.Text.Ascii.IsValid(utf8));

    /// <summary>
    /// True where the text, or its decoded or folded form, looks like a path. A text of several lines is taken for a list of paths if every
    /// line looks like one, else for prose or code; a file URI with a root is one, whatever its lines are.
    /// </summary>
    public static bool LooksLikePath(string text)
    {
        ReadOnlySpan<char> trimmed = Trim(text);
        if (trimmed.IsEmpty || trimmed.Length > PathRules.MaxWindowsChars)
        {
            return false;
        }

        if (FileUriPath.StartsRooted(trimmed))
        {
            return true;
        }

        if (trimmed.IndexOfAny('\n', '\r') < 0)
        {
            return LineLooksLikePath(trimmed.ToString());
        }

        foreach (ReadOnlySpan<char> line in trimmed.EnumerateLines())
        {
            ReadOnlySpan<char> inside = Trim(line);
            if (!inside.IsEmpty && !LineLooksLikePath(inside.ToString()))
            {
                return false;
            }
        }

        return true;
    }

    private static bool LineLooksLikePath(string line)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            if (LooksDirectly(Trim(line)))
            {
                return true;
            }

            string next = PathReadings.FoldCompatibility(PercentDecoding.DecodeOnce(line));
            if (string.Equals(next, line, StringComparison.Ordinal))
            {
                return false;
            }

            line = next;
        }

        return true;
    }

    private static bool LooksDirectly(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return false;
        }

        if (text[0] is '/' or '\\' || FileUriPath.HasScheme(text))
        {
            return true;
        }

        if (text.Length > 2 && char.IsAsciiLetter(text[0]) && text[1] == ':' && text[2] is '/' or '\\')
        {
            return true;
        }

        if (text[0] is '~' or '$' or '%' && !PathRules.TryAcceptStart(text, PathFlavor.Windows, out PathDenial denial)
            && (denial == PathDenial.HomeExpansion || text.IndexOfAny('/', '\\') >= 0))
        {
            return true;
        }

        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOfAny('/', '\\');
            ReadOnlySpan<char> segment = end < 0 ? rest : rest[..end];
            int parameter = segment.IndexOf(';');
            if ((parameter < 0 ? segment : segment[..parameter]).Trim() is "..")
            {
                return true;
            }

            rest = end < 0 ? [] : rest[(end + 1)..];
        }

        return false;
    }

    private static ReadOnlySpan<char> Trim(ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> before;
        do
        {
            before = text;
            text = text.Trim().Trim("\"'`\uFEFF\u200B\u2060");
        }
        while (text.Length != before.Length);

        return text;
    }
}
