namespace Mcp.Guard.Stages.Roots;

/// <summary>Tells by its name whether an argument is a path: <c>path</c>, <c>file</c>, <c>dir</c>, <c>source</c>, <c>destination</c> and compounds.</summary>
internal static class PathNames
{
    private const int MaxName = 64;

    private static readonly string[] Whole = ["source", "sources", "destination", "destinations", "src", "dst", "dest", "cwd"];

    private static readonly string[] Endings =
    [
        "path", "paths", "file", "files", "filename", "filenames", "file_name", "file_names", "file-name", "dir", "dirs", "directory", "directories",
        "folder", "folders", "workdir", "_cwd",
    ];

    // Words that end like a path and are none; what they hold is still looked at.
    private static readonly string[] Others = ["profile", "profiles", "xpath", "xpaths", "jsonpath", "jsonpaths", "nadir"];

    // A name is compared only with the words that end as it does.
    private static readonly string[]?[] WholeByLast = ByLastLetter(Whole);
    private static readonly string[]?[] EndingsByLast = ByLastLetter(Endings);

    /// <param name="nameUtf8">The name, escapes undone. What other scripts stand before the word makes no difference.</param>
    public static bool IsPathName(ReadOnlySpan<byte> nameUtf8)
    {
        Span<char> lower = stackalloc char[MaxName];
        if (nameUtf8.Length > MaxName)
        {
            return false;
        }

        for (int i = 0; i < nameUtf8.Length; i++)
        {
            char c = (char)nameUtf8[i];
            lower[i] = char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c;
        }

        return IsPathName(lower[..nameUtf8.Length].TrimEnd("0123456789_-"));
    }

    private static bool IsPathName(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || !char.IsAscii(name[^1]))
        {
            return false;
        }

        foreach (string word in WholeByLast[name[^1]] ?? [])
        {
            if (name.SequenceEqual(word))
            {
                return true;
            }
        }

        foreach (string ending in EndingsByLast[name[^1]] ?? [])
        {
            if (name.EndsWith(ending, StringComparison.Ordinal))
            {
                return !EndsInOther(name);
            }
        }

        return false;
    }

    private static string[]?[] ByLastLetter(string[] words)
    {
        var byLetter = new string[]?[128];
        foreach (IGrouping<char, string> group in words.GroupBy(static word => word[^1]))
        {
            byLetter[group.Key] = [.. group];
        }

        return byLetter;
    }

    private static bool EndsInOther(ReadOnlySpan<char> name)
    {
        foreach (string word in Others)
        {
            if (name.EndsWith(word, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
