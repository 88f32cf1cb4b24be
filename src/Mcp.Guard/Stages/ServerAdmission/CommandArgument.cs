namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>One argument of an allowlisted command: a literal, or a package pinned to one version.</summary>
internal readonly record struct CommandArgument
{
    private CommandArgument(string? text) => Text = text;

    /// <summary>The exact argument; null in an uninitialised value, which matches nothing.</summary>
    public string? Text { get; }

    public static CommandArgument Literal(string text) => new(text);

    /// <summary>A package argument, written <c>name@version</c>; false where the name or the version leaves something open.</summary>
    public static bool TryPackage(string name, string version, out CommandArgument argument, out string problem)
    {
        argument = default;
        if (!IsPackageName(name))
        {
            problem = "the package is not a plain name (@scope/name or name): no URL, no path, no alias";
            return false;
        }

        if (!IsExactVersion(version))
        {
            problem = "the version must be one exact version, not a range or a tag";
            return false;
        }

        argument = new CommandArgument(string.Concat(name, "@", version));
        problem = string.Empty;
        return true;
    }

    private static bool IsPackageName(ReadOnlySpan<char> name)
    {
        if (name.StartsWith('@'))
        {
            int slash = name.IndexOf('/');
            return slash > 1 && IsPlain(name[1..slash]) && IsPlain(name[(slash + 1)..]);
        }

        return IsPlain(name);

        static bool IsPlain(ReadOnlySpan<char> part)
        {
            if (part.IsEmpty || part[0] is '.' or '-')
            {
                return false;
            }

            foreach (char c in part)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Starts with a digit and has at least one dot: tags (<c>latest</c>), ranges and stars do not pass.</summary>
    private static bool IsExactVersion(ReadOnlySpan<char> version)
    {
        if (version.IsEmpty || !char.IsAsciiDigit(version[0]) || !version.Contains('.'))
        {
            return false;
        }

        foreach (char c in version)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '+' or '_' or '!'))
            {
                return false;
            }
        }

        // 1.x and 1.2.X are ranges for npm.
        ReadOnlySpan<char> rest = version;
        while (!rest.IsEmpty)
        {
            int dot = rest.IndexOf('.');
            if ((dot < 0 ? rest : rest[..dot]) is "x" or "X" or "")
            {
                return false;
            }

            rest = dot < 0 ? [] : rest[(dot + 1)..];
        }

        return version[^1] != '.';
    }
}
