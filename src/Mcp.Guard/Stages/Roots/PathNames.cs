using System.Text;

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

    public static bool IsPathName(ReadOnlySpan<byte> nameUtf8)
    {
        if (nameUtf8.Length > MaxName || !Ascii.IsValid(nameUtf8))
        {
            return false;
        }

        Span<char> lower = stackalloc char[MaxName];
        for (int i = 0; i < nameUtf8.Length; i++)
        {
            lower[i] = char.ToLowerInvariant((char)nameUtf8[i]);
        }

        ReadOnlySpan<char> name = lower[..nameUtf8.Length].TrimEnd("0123456789_-");
        foreach (string word in Whole)
        {
            if (name.SequenceEqual(word))
            {
                return true;
            }
        }

        foreach (string ending in Endings)
        {
            if (name.EndsWith(ending, StringComparison.Ordinal))
            {
                return !EndsInOther(name);
            }
        }

        return false;
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
