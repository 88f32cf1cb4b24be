using Mcp.Guard.Policy;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>
/// Turns a command that fetches what it runs at every start (<c>npx</c>, <c>npm exec</c>, <c>pnpm dlx</c>, <c>yarn dlx</c>, <c>dnx</c>) into a package of the
/// guard's store. What it cannot read for certain stays a command, which the policy's reader then judges.
/// </summary>
internal static class RunnerConversion
{
    private static readonly string[] NpmOptions = ["-y", "--yes", "-q", "--quiet", "--silent", "--ignore-scripts"];

    public static ServerDraft Convert(ServerDraft draft)
    {
        if (draft.Command is not { } command)
        {
            return draft;
        }

        IReadOnlyList<string> arguments = draft.Arguments;
        string name = NameOf(command);
        if (name == "cmd" && arguments.Count > 1 && arguments[0] is "/c" or "/C")
        {
            // How configurations start npx on Windows.
            name = NameOf(arguments[1]);
            arguments = [.. arguments.Skip(2)];
        }

        string first = arguments.Count > 0 ? arguments[0] : string.Empty;
        string second = arguments.Count > 1 ? arguments[1] : string.Empty;
        return (name, first, second) switch
        {
            ("npx" or "pnpx", _, _) => Npm(draft, name, arguments, 0),
            ("npm", "exec" or "x", _) => Npm(draft, "npm exec", arguments, 1),
            ("pnpm" or "yarn", "dlx", _) => Npm(draft, name + " dlx", arguments, 1),
            ("dnx", _, _) => Dotnet(draft, "dnx", arguments, 0),
            ("dotnet", "dnx", _) => Dotnet(draft, "dotnet dnx", arguments, 1),
            ("dotnet", "tool", "exec" or "execute") => Dotnet(draft, "dotnet tool exec", arguments, 2),
            _ => draft,
        };
    }

    /// <summary>A package as its registry spells it: <c>name</c>, <c>name@version</c> or <c>@scope/name@version</c>.</summary>
    public static (string Name, string Version) Split(string specification)
    {
        int at = specification.LastIndexOf('@');
        return at > 0 ? (specification[..at], specification[(at + 1)..]) : (specification, string.Empty);
    }

    private static ServerDraft Npm(ServerDraft draft, string runner, IReadOnlyList<string> arguments, int at)
    {
        string? package = null;
        for (; at < arguments.Count; at++)
        {
            string argument = arguments[at];
            if (argument == "--" || NpmOptions.Contains(argument, StringComparer.Ordinal))
            {
                continue;
            }

            if (argument is "-p" or "--package" && at + 1 < arguments.Count && package is null)
            {
                package = arguments[++at];
            }
            else if (argument.StartsWith("--package=", StringComparison.Ordinal) && package is null)
            {
                package = argument["--package=".Length..];
            }
            else if (argument.StartsWith('-'))
            {
                return draft; // an option that is not known here could change what is run
            }
            else
            {
                break;
            }
        }

        if (at == arguments.Count)
        {
            return draft;
        }

        (string name, string version) = Split(package ?? arguments[at]);
        return IsPlain(name) ? Packaged(draft, PackageKind.Npm, runner, name, version, package is null ? null : arguments[at], [.. arguments.Skip(at + 1)]) : draft;
    }

    private static ServerDraft Dotnet(ServerDraft draft, string runner, IReadOnlyList<string> arguments, int at)
    {
        while (at < arguments.Count && arguments[at] is "-y" or "--yes")
        {
            at++;
        }

        if (at == arguments.Count || arguments[at].StartsWith('-'))
        {
            return draft;
        }

        (string name, string version) = Split(arguments[at]);
        string[] rest = [.. arguments.Skip(at + 1)];
        if (rest is ["--version", var wanted, .. var after] && version.Length == 0)
        {
            (version, rest) = (wanted, after);
        }

        rest = rest is ["--", .. var own] ? own : rest;
        return IsPlain(name) && version.Length > 0 ? Packaged(draft, PackageKind.Dotnet, runner, name, version, null, rest) : draft;
    }

    private static ServerDraft Packaged(ServerDraft draft, PackageKind kind, string runner, string name, string version, string? executable, string[] arguments) => draft with
    {
        Command = null,
        Registry = kind,
        Package = name,
        Version = version,
        Executable = executable,
        Arguments = arguments,
        Notes = [.. draft.Notes, $"a pinned package in place of {runner}, which fetches what it runs at every start"],
    };

    /// <summary>A registry's name, not a path, URL or alias.</summary>
    private static bool IsPlain(string name) =>
        name.Length is > 0 and <= 214 && !name.Contains(':', StringComparison.Ordinal) && name[0] is not ('.' or '/' or '~') && !name.Contains("..", StringComparison.Ordinal)
        && (name[0] == '@' ? name.Count(static c => c == '/') == 1 : !name.Contains('/', StringComparison.Ordinal)) && !name.Contains('\\', StringComparison.Ordinal);

    private static string NameOf(string command)
    {
        string name = command[(command.LastIndexOfAny(['/', '\\']) + 1)..].ToLowerInvariant();
        foreach (string extension in (ReadOnlySpan<string>)[".exe", ".cmd", ".bat", ".ps1"])
        {
            name = name.EndsWith(extension, StringComparison.Ordinal) ? name[..^extension.Length] : name;
        }

        return name;
    }
}
