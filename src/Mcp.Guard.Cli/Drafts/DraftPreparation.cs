using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Isolation;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>Finds in a command line what its box has to show: folders that are arguments become roots, the script's own folder and other files become readable.</summary>
internal static class DraftPreparation
{
    private static readonly string[] SystemFolders = ["/usr", "/bin", "/sbin"];

    private static readonly string[] ScriptSuffixes = [".js", ".mjs", ".cjs", ".py", ".dll"];

    /// <param name="draft">A server as it was given.</param>
    /// <param name="folder">Where relative paths of its command line start.</param>
    /// <param name="roots">Roots that the user named, absolute.</param>
    public static ServerDraft Prepare(ServerDraft draft, string folder, IReadOnlyList<string> roots)
    {
        if (!draft.IsProcess)
        {
            return draft with { Roots = roots };
        }

        var found = new List<string>(roots);
        var readable = new List<string>(draft.Readable);
        string[] arguments = [.. draft.Arguments];
        string? command = draft.Command is { } given && given.AsSpan().ContainsAny('/', '\\') ? Path.GetFullPath(given, folder) : draft.Command;
        bool isScriptKnown = draft.Package is not null || PresetOf(command!) == IsolationPreset.Native;
        var notes = new List<string>(draft.Notes);
        for (int i = 0; i < arguments.Length; i++)
        {
            if (PathOf(arguments[i], folder) is not { } path)
            {
                continue;
            }

            if (Directory.Exists(path))
            {
                Replace(ref arguments[i], path, notes);
                Add(found, path);
            }
            else if (File.Exists(path))
            {
                Replace(ref arguments[i], path, notes);
                bool isScript = !isScriptKnown && Array.Exists(ScriptSuffixes, suffix => path.EndsWith(suffix, StringComparison.OrdinalIgnoreCase));
                isScriptKnown |= isScript;
                Add(readable, isScript ? InterpreterScript.FolderOf(PresetOf(command!), IsolationHost.Detect(), path) : path);
            }
        }

        if (command is not null && Path.IsPathFullyQualified(command) && PresetOf(command) == IsolationPreset.Native && !IsOfTheSystem(command) && Path.GetDirectoryName(command) is { } own)
        {
            // A program of its own needs what lies beside it.
            Add(readable, own);
        }

        return draft with { Command = command, Arguments = arguments, Roots = found, Readable = [.. readable.Where(path => !found.Exists(root => PathTrail.IsSameOrBelow(path, root)))], Notes = notes };
    }

    private static void Replace(ref string argument, string path, List<string> notes)
    {
        if (!string.Equals(argument, path, StringComparison.Ordinal))
        {
            notes.Add($"the argument {TerminalText.Clean(argument)} is written as {TerminalText.Clean(path)}: the server starts in an empty folder");
            argument = path;
        }
    }

    private static void Add(List<string> paths, string path)
    {
        if (!paths.Contains(path, StringComparer.Ordinal))
        {
            paths.Add(path);
        }
    }

    /// <summary>An argument that is plainly meant as a path, absolute; null for all else.</summary>
    private static string? PathOf(string argument, string folder)
    {
        try
        {
            bool isHome = argument == "~" || argument.StartsWith("~/", StringComparison.Ordinal);
            bool isRelative = argument is "." or ".." || argument.StartsWith("./", StringComparison.Ordinal) || argument.StartsWith("../", StringComparison.Ordinal)
                || (argument.Contains('/', StringComparison.Ordinal) && !argument.Contains(':', StringComparison.Ordinal) && argument[0] is not ('-' or '@'));
            string? path = isHome ? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + argument[1..]
                : Path.IsPathFullyQualified(argument) || isRelative ? argument
                : null;
            return path is null ? null : Path.TrimEndingDirectorySeparator(Path.GetFullPath(path, folder));
        }
        catch (Exception malformed) when (malformed is ArgumentException or NotSupportedException or PathTooLongException)
        {
            return null;
        }
    }

    private static IsolationPreset PresetOf(string command)
    {
        string name = Path.GetFileNameWithoutExtension(command);
        return name is "node" ? IsolationPreset.Node
            : name is "dotnet" ? IsolationPreset.Dotnet
            : Path.GetFileName(command).StartsWith("python", StringComparison.Ordinal) ? IsolationPreset.Python
            : IsolationPreset.Native;
    }

    private static bool IsOfTheSystem(string path) => Array.Exists(SystemFolders, folder => PathTrail.IsSameOrBelow(path, folder));
}
