namespace Mcp.Guard.Isolation;

/// <summary>
/// Refuses a start whose interpreter would not find its script in the box: the error names the folder to list, where the interpreter's own
/// complaint inside would only say that there is no such file.
/// </summary>
internal static class InterpreterScript
{
    private const string Modules = "/node_modules/";
    private static readonly string[] s_suffixes = [".js", ".mjs", ".cjs", ".py", ".dll"];

    /// <summary>Looks at the first argument that is no option; what is no file of the host is left to the interpreter.</summary>
    /// <exception cref="IsolationException">The script is there and the box does not show it, or it is relative to a folder that is empty.</exception>
    public static void RequireShown(
        IsolationOptions options, IsolationHost host, RuntimePreset preset, MountPlan mounts, IReadOnlyList<string> system, string workingDirectory)
    {
        if (preset.Kind == IsolationPreset.Native || preset.Command is not null)
        {
            return;
        }

        int at = 0;
        while (at < options.Arguments.Count && IsBeforeScript(preset.Kind, options.Arguments[at]))
        {
            at++;
        }

        if (at == options.Arguments.Count)
        {
            return;
        }

        string script = options.Arguments[at];
        if (!script.StartsWith('/'))
        {
            // After an option the word may be its value: code, or the name of a module.
            bool isFile = (at == 0 || options.Arguments[at - 1] == "exec") && Array.Exists(s_suffixes, suffix => script.EndsWith(suffix, StringComparison.Ordinal));
            if (isFile && options.WorkingDirectory is null)
            {
                throw Refused(options, $"its script {Printable.Quote(script)} is a relative path and its working directory is an empty folder", "Write the script's absolute path, and list its folder in isolation.readable");
            }

            if (!isFile)
            {
                return;
            }

            script = $"{workingDirectory}/{script}";
        }

        script = HostPaths.Normalize(script);
        if (host.Files.Resolve(script) is { } found && !(IsShown(script) && IsShown(found.Path)))
        {
            throw Refused(options, $"its script {Printable.Quote(script)} is not in its box", $"Add {Printable.Quote(FolderOf(preset.Kind, host, found.Path))} to isolation.readable, which shows it read-only");
        }

        bool IsShown(string path) =>
            system.Any(folder => HostPaths.IsAtOrUnder(path, folder)) || mounts.Mounts.Any(mount => HostPaths.IsAtOrUnder(path, mount.Target));
    }

    private static bool IsBeforeScript(IsolationPreset kind, string argument) =>
        argument.StartsWith('-') || (kind == IsolationPreset.Dotnet && argument == "exec");

    /// <summary>What a script needs beside itself: its package's modules, its package, or the folder it lies in.</summary>
    public static string FolderOf(IsolationPreset kind, IsolationHost host, string script)
    {
        string parent = HostPaths.Parent(script);
        if (kind != IsolationPreset.Node)
        {
            return parent;
        }

        int modules = script.IndexOf(Modules, StringComparison.Ordinal);
        if (modules >= 0)
        {
            return script[..(modules + Modules.Length - 1)];
        }

        for (string folder = parent; folder != "/"; folder = HostPaths.Parent(folder))
        {
            if (host.Files.Resolve($"{folder}/package.json") is { Kind: HostFileKind.File })
            {
                return folder;
            }
        }

        return parent;
    }

    private static IsolationException Refused(IsolationOptions options, string problem, string fix) => new(options.Server, IsolationFault.SourceRefused, problem, fix);
}
