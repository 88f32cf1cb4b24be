using System.Buffers;
using System.Collections.Frozen;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// Commands that fetch what they run when they start: npx, uvx, dnx, pnpm dlx and the like. What a registry gives tomorrow is not what was approved today, so
/// one is refused unless its arguments name one package with one exact version, in the one form of each runner that leaves nothing else open. A pure
/// function of the text, so that every system's rules are tested on every system.
/// </summary>
internal static class FetchingRunners
{
    private static readonly SearchValues<char> WordEnds = SearchValues.Create(" \t\r\n;&|()<>\"'`$=/\\{}");

    /// <summary>What a package with a version, a path or a URL has, and the bare name of a program has not.</summary>
    private static readonly SearchValues<char> SpecCharacters = SearchValues.Create("@=/\\[<>~");

    private static readonly SearchValues<char> ModuleCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./_~-");

    private static readonly string[] Extensions = [".exe", ".cmd", ".bat", ".ps1", ".com", ".js", ".cjs", ".mjs"];

    // What a script of a runner is called, where an interpreter is started with it.
    private static readonly FrozenDictionary<string, string> Aliases = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["npx-cli"] = "npx",
        ["npm-cli"] = "npm",
        ["yarnpkg"] = "yarn",
        ["nodejs"] = "node",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenSet<string> RunnerWords = new[]
    {
        "npx", "npm", "pnpm", "pnpx", "yarn", "bunx", "bun", "uvx", "uv", "dnx", "pipx", "deno", "corepack", "npx-cli", "npm-cli",
    }.ToFrozenSet(StringComparer.Ordinal);

    // Programs of which only some commands fetch what they run.
    private static readonly FrozenDictionary<string, string[]> FetchingCommands = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["docker"] = ["run", "create", "compose", "container", "mcp", "model", "kube", "play", "stack", "service"],
        ["podman"] = ["run", "create", "compose", "container", "mcp", "model", "kube", "play", "stack", "service"],
        ["nerdctl"] = ["run", "create", "compose", "container", "mcp", "model", "kube", "play", "stack", "service"],
        ["docker-compose"] = ["up", "run", "create", "start", "scale", "watch"],
        ["podman-compose"] = ["up", "run", "create", "start", "scale", "watch"],
        ["nix"] = ["run", "shell", "develop"],
        ["go"] = ["run", "install"],
        ["dotnet"] = ["tool"],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Shells = new[] { "sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox", "pwsh", "powershell" }
        .ToFrozenSet(StringComparer.Ordinal);

    // Programs that start the program named by their arguments.
    private static readonly FrozenSet<string> Wrappers = new[]
    {
        "env", "sudo", "doas", "nohup", "nice", "ionice", "timeout", "stdbuf", "setsid", "time", "xargs", "exec", "command", "mise", "asdf", "volta", "fnm", "direnv", "start",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether a command line starts a runner, and if so whether it is pinned. Never throws.</summary>
    public static RunnerVerdict Check(string command, IReadOnlyList<string> arguments)
    {
        string name = NameOf(command);
        if (!Wrappers.Contains(name))
        {
            return CheckProgram(name, arguments);
        }

        // What a wrapper's own options are is not known here, and the value of one can have a runner's name (sudo -u node npx ...): each word that has one is
        // taken for what is started, until one of them fetches.
        for (int at = 0; at < arguments.Count; at++)
        {
            string word = NameOf(arguments[at]);
            if (IsRunner(word) && CheckProgram(word, [.. arguments.Skip(at + 1)]) is { Runner: not null } verdict)
            {
                return verdict;
            }
        }

        return NamesARunner(arguments) || arguments.Any(static argument => IsLineThatFetches(argument)) ? Refuse(name, "it starts another program; name that one as the command") : default;
    }

    /// <summary>True for a shell or a program that starts the program named by its arguments: either can set variables in its command line.</summary>
    public static bool IsShellOrWrapper(string command) => NameOf(command) is var name && (Shells.Contains(name) || Wrappers.Contains(name));

    /// <summary>The program's name as it is compared: without folders and executable extensions, in lower case.</summary>
    private static string NameOf(string command)
    {
        ReadOnlySpan<char> name = command.AsSpan().Trim(" \"");
        name = name[(name.LastIndexOfAny('/', '\\', ':') + 1)..].TrimEnd(". ");
        foreach (string extension in Extensions)
        {
            if (name.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
            {
                name = name[..^extension.Length];
                break;
            }
        }

        string lower = name.ToString().ToLowerInvariant();
        return Aliases.GetValueOrDefault(lower, lower);
    }

    private static bool IsRunner(string name) => RunnerWords.Contains(name) || Shells.Contains(name) || FetchingCommands.ContainsKey(name) || IsPython(name);

    private static bool IsPython(string name) => name.StartsWith("python", StringComparison.Ordinal) || name is "py";

    /// <summary>Whether any word of a command line is a runner's name.</summary>
    private static bool NamesARunner(IReadOnlyList<string> arguments)
    {
        foreach (string argument in arguments)
        {
            if (NamesARunner(argument) || NamesARunner(EnvironmentRules.SplitString(argument)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool NamesARunner(ReadOnlySpan<char> rest)
    {
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOfAny(WordEnds);
            if (RunnerWords.Contains(NameOf((end < 0 ? rest : rest[..end]).ToString())))
            {
                return true;
            }

            rest = end < 0 ? [] : rest[(end + 1)..];
        }

        return false;
    }

    /// <summary>Whether one argument is a whole line, as behind <c>env -S</c>, that fetches.</summary>
    private static bool IsLineThatFetches(string argument) =>
        argument.Contains(' ', StringComparison.Ordinal) && (FetchesInLine(argument) || FetchesInLine(EnvironmentRules.SplitString(argument)));

    /// <summary>Whether a shell's line has the name of such a program and, anywhere behind it, a command of it that fetches: its options are not known here.</summary>
    private static bool FetchesInLine(ReadOnlySpan<char> rest)
    {
        var commands = new HashSet<string>(StringComparer.Ordinal);
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOfAny(WordEnds);
            string word = NameOf((end < 0 ? rest : rest[..end]).ToString());
            if (commands.Contains(word))
            {
                return true;
            }

            commands.UnionWith(FetchingCommands.GetValueOrDefault(word, []));
            rest = end < 0 ? [] : rest[(end + 1)..];
        }

        return false;
    }

    /// <summary>The script an interpreter is started with: the first argument that is no option and names a script of a runner.</summary>
    private static string? ScriptOf(IReadOnlyList<string> arguments, out IReadOnlyList<string> after)
    {
        for (int i = 0; i < arguments.Count; i++)
        {
            // An option can take the next word as its value, so a word is looked at wherever it stands; only a path is taken for a script.
            if (arguments[i].AsSpan().IndexOfAny('/', '\\') >= 0 && NameOf(arguments[i]) is var name && RunnerWords.Contains(name))
            {
                after = [.. arguments.Skip(i + 1)];
                return name;
            }

            if (!arguments[i].StartsWith('-'))
            {
                break;
            }
        }

        after = arguments;
        return null;
    }

    /// <summary>A program that is no wrapper, or what one starts.</summary>
    private static RunnerVerdict CheckProgram(string name, IReadOnlyList<string> arguments)
    {
        if (Shells.Contains(name))
        {
            return NamesARunner(arguments) || FetchesInLine(string.Join(' ', arguments)) ? Refuse(name, "a shell's command line starts one; name the program and its arguments themselves") : default;
        }

        return name is "node" or "bun" or "deno" && ScriptOf(arguments, out IReadOnlyList<string> after) is { } script && RunnerWords.Contains(script)
            ? CheckRunner(script, after)
            : CheckRunner(name, arguments);
    }

    private static RunnerVerdict CheckRunner(string name, IReadOnlyList<string> arguments)
    {
        string first = arguments.Count > 0 ? arguments[0] : string.Empty;
        string second = arguments.Count > 1 ? arguments[1] : string.Empty;
        switch (name)
        {
            case "npx" or "pnpx" or "bunx":
                return Package(name, arguments, 0, Npm, "-y", "--yes", "--bun", "--ignore-scripts", "--silent");
            case "npm":
                // npm reads its own options wherever they stand, up to "--".
                return first is "exec" or "x" ? Package("npm exec", arguments, 1, Npm, "-y", "--yes", "--ignore-scripts", "--!")
                    : first is "run" or "start" or "run-script" or "rum" or "urn" or "test" or "restart" or "stop" ? default
                    : Refuse("npm", "of its commands only exec, run and start are known to start a server, with nothing before them");
            case "pnpm":
                return first is "dlx" ? Package("pnpm dlx", arguments, 1, Npm, "--ignore-scripts", "--silent")
                    : first is "create" || Names(arguments, "dlx") ? Refuse("pnpm dlx", "the command has to be the first argument") : default;
            case "yarn":
                return first is "dlx" ? Package("yarn dlx", arguments, 1, Npm, "-q", "--quiet")
                    : first is "create" or "init" || Names(arguments, "dlx") ? Refuse("yarn dlx", "the command has to be the first argument") : default;
            case "bun":
                return first is "x" ? Package("bun x", arguments, 1, Npm, "--bun", "--silent")
                    : first is "create" || Names(arguments, "x") ? Refuse("bun x", "the command has to be the first argument") : default;
            case "uvx":
                return Python("uvx", arguments, 0, "--from");
            case "uv":
                return first is "tool" && second is "run" ? Python("uv tool run", arguments, 2, "--from")
                    : first is "run" && second is "--offline" && !arguments.Contains("--no-offline", StringComparer.Ordinal) ? default
                    : Refuse("uv", "start it as 'uv run --offline ...', which fetches nothing, or as 'uv tool run name@version'");
            case "pipx":
                return first is "run" ? Python("pipx run", arguments, 1, "--spec") : Names(arguments, "run") ? Refuse("pipx run", "the command has to be the first argument") : default;
            case "dnx":
                return Package("dnx", arguments, 0, Nuget, "-y", "--yes");
            case "dotnet":
                return first is "dnx" ? Package("dotnet dnx", arguments, 1, Nuget, "-y", "--yes")
                    : first is "tool" && second is "exec" or "execute" ? Package("dotnet tool exec", arguments, 2, Nuget, "-y", "--yes")
                    : default;
            case "deno":
                return first is "run" or "x" or "serve" && second is "--cached-only" ? default
                    : first is "run" or "x" or "serve" || first.Contains(':', StringComparison.Ordinal)
                        ? Refuse("deno", "start it as 'deno run --cached-only ...', which fetches nothing")
                        : default;
            case "go":
                return first is "run" && arguments.Any(static argument => argument.Contains('@', StringComparison.Ordinal))
                    ? Package("go run", arguments, 1, Go)
                    : default;
            case "nix":
                return first is "run" or "shell" or "develop" ? Refuse("nix", "it has no form with one version; start the built program") : default;
            case "docker" or "podman" or "nerdctl":
                // Without an own option table the image cannot be told from the options' values: nothing may be pulled at all.
                return FetchingCommands[name].Contains(first, StringComparer.Ordinal) || first.StartsWith('-')
                    ? first is "run" && second is "--pull=never" && arguments.Skip(2).All(static argument => !argument.StartsWith("--pull", StringComparison.Ordinal))
                        ? default
                        : Refuse(name, "start it as 'run --pull=never ...' with an image by digest, or use isolation.mode \"container\"")
                    : default;
            case "docker-compose" or "podman-compose":
                return FetchingCommands[name].Any(word => Names(arguments, word))
                    ? Refuse(name, "it pulls images by what a file says; use isolation.mode \"container\"")
                    : default;
            case "corepack":
                return Refuse(name, "it fetches the package manager itself; name the program that it would start");
            default:
                return IsPython(name) ? PythonModule(arguments) : default;
        }
    }

    /// <summary><c>python -m pipx run</c>, <c>python -m uv ...</c>: the module is the runner.</summary>
    private static RunnerVerdict PythonModule(IReadOnlyList<string> arguments)
    {
        for (int i = 0; i < arguments.Count && arguments[i].StartsWith('-'); i++)
        {
            string argument = arguments[i];
            if (argument is "-m" && i + 1 < arguments.Count)
            {
                return arguments[i + 1] is "pipx" or "uv" ? CheckRunner(arguments[i + 1], [.. arguments.Skip(i + 2)]) : default;
            }

            if (argument is "-mpipx" or "-muv")
            {
                return CheckRunner(argument[2..], [.. arguments.Skip(i + 1)]);
            }
        }

        return default;
    }

    /// <summary>Harmless options, then one pinned package, then the package's own arguments.</summary>
    private static RunnerVerdict Package(string runner, IReadOnlyList<string> arguments, int at, Func<string, bool> isPinned, params ReadOnlySpan<string> options)
    {
        bool needsDashes = options.Contains("--!");
        bool dashes = false;
        for (; at < arguments.Count; at++)
        {
            string argument = arguments[at];
            if (argument == "--" && !dashes)
            {
                dashes = true;
            }
            else if (!argument.StartsWith('-'))
            {
                return needsDashes && !dashes
                    ? Refuse(runner, "write '--' before the package, so that no later argument is an option of the runner")
                    : isPinned(argument) ? new RunnerVerdict(runner, null) : Refuse(runner, "its first argument has to be name@version with one exact version");
            }
            else if (dashes || !options.Contains(argument))
            {
                return Refuse(runner, "before the package only -y and the like are accepted");
            }
        }

        return Refuse(runner, "it names no package");
    }

    /// <summary><c>name@version</c> or <c>name==version</c>, also behind <c>--from</c> with the name of a program after it.</summary>
    private static RunnerVerdict Python(string runner, IReadOnlyList<string> arguments, int at, string from)
    {
        string? spec = at < arguments.Count ? arguments[at] : null;
        if (spec == from)
        {
            string? program = at + 2 < arguments.Count ? arguments[at + 2] : null;
            return program is null || program.StartsWith('-') || program.AsSpan().IndexOfAny(SpecCharacters) >= 0
                ? Refuse(runner, $"after {from} come the package with its version and the bare name of the program")
                : PyPi(arguments[at + 1]) ? new RunnerVerdict(runner, null) : Refuse(runner, "the package has to be name==version with one exact version");
        }

        return spec is not null && PyPi(spec) ? new RunnerVerdict(runner, null) : Refuse(runner, $"its first argument has to be name@version or {from}, with one exact version");
    }

    private static bool Names(IReadOnlyList<string> arguments, string word) => arguments.Contains(word, StringComparer.Ordinal);

    private static bool Npm(string spec) =>
        Split(spec, "@", 1, out string name, out string version) && CommandArgument.TryPackage(name, version, out _, out _) && CoreDots(version) == 2;

    private static bool Nuget(string spec) =>
        Split(spec, "@", 0, out string name, out string version) && !name.StartsWith('@') && CommandArgument.TryPackage(name, version, out _, out _) && CoreDots(version) is 2 or 3;

    private static bool PyPi(string spec)
    {
        // An extra (name[extra]) chooses further packages of the same release, whose versions nothing pins.
        return (Split(spec, "==", 0, out string name, out string version) || Split(spec, "@", 0, out name, out version))
            && !name.StartsWith('@') && !version.StartsWith('=') && CommandArgument.TryPackage(name, version, out _, out _);
    }

    /// <summary>A module path and <c>vMAJOR.MINOR.PATCH</c>.</summary>
    private static bool Go(string spec)
    {
        int at = spec.IndexOf('@', StringComparison.Ordinal);
        return at > 0 && spec[at..].StartsWith("@v", StringComparison.Ordinal) && CommandArgument.TryPackage("m", spec[(at + 2)..], out _, out _) && CoreDots(spec[(at + 2)..]) == 2
            && spec.AsSpan(0, at).IndexOfAnyExcept(ModuleCharacters) < 0;
    }

    private static int CoreDots(string version)
    {
        int core = version.AsSpan().IndexOfAny('-', '+');
        return (core < 0 ? version : version[..core]).AsSpan().Count('.');
    }

    private static bool Split(string spec, string mark, int from, out string name, out string version)
    {
        int at = spec.Length > from ? spec.IndexOf(mark, from, StringComparison.Ordinal) : -1;
        name = at < 0 ? spec : spec[..at];
        version = at < 0 ? string.Empty : spec[(at + mark.Length)..];
        return at >= 0;
    }

    private static RunnerVerdict Refuse(string runner, string problem) => new(runner, problem);
}
