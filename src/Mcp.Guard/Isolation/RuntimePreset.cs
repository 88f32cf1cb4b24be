namespace Mcp.Guard.Isolation;

/// <summary>What an interpreter needs inside a box besides the read-only system: where it is installed, and variables that keep it from writing elsewhere.</summary>
/// <param name="Readable">Files and folders of the host to show read-only.</param>
/// <param name="Environment">Variables that the policy may override.</param>
/// <param name="Kind">Which interpreter it is; native where it is none.</param>
/// <param name="Command">What is started instead of the policy's command (npx); null where that is started itself.</param>
internal sealed record RuntimePreset(IReadOnlyList<string> Readable, IReadOnlyList<KeyValuePair<string, string>> Environment, IsolationPreset Kind, PlannedCommand? Command = null)
{
    private const string NodeModules = "/lib/node_modules/";

    /// <summary>The needs of the options' program.</summary>
    public static RuntimePreset Create(IsolationOptions options, IsolationHost host)
    {
        HostFile program = host.Files.Resolve(options.Executable) is { Kind: HostFileKind.File } file
            ? file
            : throw new IsolationException(options.Server, IsolationFault.SourceRefused, $"{options.Executable} does not exist or is not a file", "Install it, or correct the server's command");
        string name = Path.GetFileName(HostPaths.Normalize(options.Executable));
        return Tell(options.Preset, name) switch
        {
            IsolationPreset.Node => Node(options, host, program.Path, name),
            IsolationPreset.Dotnet => Dotnet(options, program.Path),
            IsolationPreset.Python => Python(options, host, program.Path),
            _ => new RuntimePreset(Outside(options.Executable), [], IsolationPreset.Native),
        };
    }

    private static IsolationPreset Tell(IsolationPreset wanted, string name) => wanted != IsolationPreset.Automatic ? wanted
        : name is "node" or "npx" ? IsolationPreset.Node
        : name is "dotnet" or "dnx" ? IsolationPreset.Dotnet
        : name.StartsWith("python", StringComparison.Ordinal) ? IsolationPreset.Python
        : IsolationPreset.Native;

    private static RuntimePreset Node(IsolationOptions options, IsolationHost host, string program, string name)
    {
        int modules = program.IndexOf(NodeModules, StringComparison.Ordinal);
        string prefix = modules > 0 ? program[..modules] : Prefix(program);
        List<string> readable = [.. Outside(prefix), .. Outside(options.Executable)];
        PlannedCommand? command = null;
        if (name == "npx")
        {
            string cache = options.Environment.FirstOrDefault(static variable => variable.Name == "npm_config_cache")?.Value ?? $"{host.HomeFolder}/.npm";
            NpxCommand npx = NpxCommand.Find(options, host, cache);
            readable.Add(npx.Folder);
            command = new PlannedCommand($"{HostPaths.Parent(HostPaths.Normalize(options.Executable))}/node", [npx.Script, .. npx.Arguments]);
        }

        return new RuntimePreset(readable, [new("NO_UPDATE_NOTIFIER", "1")], IsolationPreset.Node, command);
    }

    private static RuntimePreset Dotnet(IsolationOptions options, string program)
    {
        string folder = HostPaths.Parent(program);
        var environment = new List<KeyValuePair<string, string>>
        {
            new("DOTNET_ROOT", folder),
            new("DOTNET_CLI_TELEMETRY_OPTOUT", "1"),
            new("DOTNET_NOLOGO", "1"),

            // Its debugger and profiler sockets are of no use inside, and double-mapped code needs shared memory, which limits do not count.
            new("DOTNET_EnableDiagnostics", "0"),
            new("DOTNET_EnableWriteXorExecute", "0"),
        };
        if (options.Memory is { } memory)
        {
            // The runtime sees the machine's memory, not the limit: without this it would run into the limit instead of collecting.
            environment.Add(new("DOTNET_GCHeapHardLimit", "0x" + (memory / 2).ToString("x", System.Globalization.CultureInfo.InvariantCulture)));
        }

        return new RuntimePreset([.. Outside(folder), .. Outside(options.Executable)], environment, IsolationPreset.Dotnet);
    }

    private static RuntimePreset Python(IsolationOptions options, IsolationHost host, string program)
    {
        List<string> readable = [.. Outside(Prefix(program))];
        string installed = HostPaths.Parent(HostPaths.Parent(HostPaths.Normalize(options.Executable)));
        if (host.Files.Resolve($"{installed}/pyvenv.cfg") is not null)
        {
            readable.AddRange(Outside(installed));
        }
        else
        {
            readable.AddRange(Outside(options.Executable));
        }

        return new RuntimePreset(readable, [new("PYTHONDONTWRITEBYTECODE", "1"), new("PYTHONNOUSERSITE", "1")], IsolationPreset.Python);
    }

    // The installation that holds bin/<program>; the program alone where it does not lie in a folder of that name.
    private static string Prefix(string program)
    {
        string folder = HostPaths.Parent(program);
        return folder.EndsWith("/bin", StringComparison.Ordinal) ? HostPaths.Parent(folder) : program;
    }

    // The system's own folders are in every box.
    private static string[] Outside(string path) =>
        HostPaths.IsAtOrUnder(path, "/usr") || HostPaths.IsAtOrUnder(path, "/bin") || HostPaths.IsAtOrUnder(path, "/sbin") ? [] : [path];
}
