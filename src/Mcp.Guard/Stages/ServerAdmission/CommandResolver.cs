using System.Security.Cryptography;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// Finds the file of an admitted command in the host's own search path, resolves its links, refuses what others can write, and records its
/// SHA-256. Neither the current directory, nor the workspace, nor a PATH that came with the server plays a part (S1; CWE-426, CWE-427).
/// </summary>
internal sealed class CommandResolver
{
    private readonly string[] _folders;
    private readonly string[] _forbidden;

    /// <param name="searchPath">The host's search path, as the environment spells it; entries that are not absolute are skipped.</param>
    /// <param name="forbiddenFolders">Folders that a server can write: roots, writable mounts, the workspace.</param>
    public CommandResolver(string? searchPath, IReadOnlyList<string> forbiddenFolders)
    {
        _folders = (searchPath ?? string.Empty)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified)
            .ToArray();
        _forbidden = forbiddenFolders.Select(folder => TryResolveLinks(folder, out string resolved) ? resolved : folder).ToArray();
    }

    /// <summary>Resolves a command. False with the reason; never throws for a text or a state of the file system.</summary>
    public bool TryResolve(CommandEntry entry, out ResolvedCommand? resolved, out CommandDenial denial)
    {
        resolved = null;
        if (!TryFind(entry.Command, out string found, out IReadOnlyList<string> leading))
        {
            denial = CommandDenial.NotFound;
            return false;
        }

        if (!TryAcceptFile(found, out string file, out denial))
        {
            return false;
        }

        foreach (string argument in leading)
        {
            if (!TryAcceptFile(argument, out _, out denial))
            {
                return false;
            }
        }

        string digest;
        try
        {
            using FileStream stream = File.OpenRead(file);
            digest = Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            denial = CommandDenial.NotAFile;
            return false;
        }

        if (entry.Sha256 is not null && !string.Equals(entry.Sha256, digest, StringComparison.OrdinalIgnoreCase))
        {
            denial = CommandDenial.DigestDiffers;
            return false;
        }

        resolved = new ResolvedCommand(found, file, leading, digest);
        denial = default;
        return true;
    }

    private bool TryFind(string command, out string found, out IReadOnlyList<string> leading)
    {
        leading = [];
        found = command;
        if (Path.IsPathFullyQualified(command))
        {
            return File.Exists(command);
        }

        if (command.Length == 0 || command.AsSpan().IndexOfAny('/', '\\', ':') >= 0)
        {
            return false; // relative to a folder that someone else may choose
        }

        foreach (string folder in _folders)
        {
            if (!OperatingSystem.IsWindows())
            {
                found = Path.Combine(folder, command);
                if (File.Exists(found))
                {
                    return true;
                }

                continue;
            }

            found = Path.Combine(folder, command.EndsWith(".exe", StringComparison.OrdinalIgnoreCase) ? command : command + ".exe");
            if (File.Exists(found))
            {
                return true;
            }

            // npm ships npx and npm as batch files beside node.exe; the script behind them is run by node itself.
            if ((command.Equals("npx", StringComparison.OrdinalIgnoreCase) || command.Equals("npm", StringComparison.OrdinalIgnoreCase))
                && File.Exists(Path.Combine(folder, "node.exe")))
            {
                string script = Path.Combine(folder, "node_modules", "npm", "bin", command.ToLowerInvariant() + "-cli.js");
                if (File.Exists(script))
                {
                    found = Path.Combine(folder, "node.exe");
                    leading = [script];
                    return true;
                }
            }
        }

        return false;
    }

    private bool TryAcceptFile(string path, out string file, out CommandDenial denial)
    {
        denial = CommandDenial.NotAFile;
        if (!TryResolveLinks(path, out file) || CommandAllowlist.IsBatchFile(file))
        {
            return false;
        }

        foreach (string folder in _forbidden)
        {
            if (LexicalPath.IsInside(file, folder, RootSet.OwnFlavor) || LexicalPath.IsInside(Path.GetFullPath(path), folder, RootSet.OwnFlavor))
            {
                denial = CommandDenial.InsideWorkspace;
                return false;
            }
        }

        if (OperatingSystem.IsWindows())
        {
            denial = default;
            return true; // access lists are judged by the installer's folder, see docs/server-admission.md
        }

        try
        {
            UnixFileMode mode = File.GetUnixFileMode(file);
            if ((mode & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) == 0)
            {
                return false;
            }

            if ((mode & UnixFileMode.OtherWrite) != 0 || OthersCanReplace(file) || OthersCanReplace(Path.GetFullPath(path)))
            {
                denial = CommandDenial.OthersCanWrite;
                return false;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        denial = default;
        return true;
    }

    /// <summary>True where a folder on the way is writable by everyone; in a sticky one others cannot rename what exists, so that counts only for the last folder.</summary>
    private static bool OthersCanReplace(string file)
    {
        for (string? folder = Path.GetDirectoryName(file); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            UnixFileMode mode = OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(folder);
            bool direct = string.Equals(folder, Path.GetDirectoryName(file), StringComparison.Ordinal);
            if ((mode & UnixFileMode.OtherWrite) != 0 && (direct || (mode & UnixFileMode.StickyBit) == 0))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryResolveLinks(string path, out string resolved)
    {
        resolved = path;
        return Path.IsPathFullyQualified(path)
            && LinkWalker.TryResolve(Path.GetFullPath(path), RootSet.OwnFlavor, LinkReader.ForThisSystem, out resolved, out _);
    }
}
