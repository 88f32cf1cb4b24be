using System.Text.Json;
using Mcp.Guard.Isolation;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Packages;

/// <summary>
/// The folder of the guard's in which server packages lie, installed beforehand and read-only: nothing is fetched when a server starts, and what starts is
/// what was installed, file by file.
/// </summary>
/// <param name="folder">The store, absolute.</param>
internal sealed class PackageStore(string folder)
{
    private const int LongestManifest = 1 << 20;

    /// <summary>The manifest of a tool lies at <c>.store/ID/VERSION/ID/VERSION/tools/FRAMEWORK/RUNTIME</c>; no link is followed to it.</summary>
    private static readonly EnumerationOptions ToolFolders = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = 12,
        AttributesToSkip = FileAttributes.ReparsePoint,
        IgnoreInaccessible = false,
        MatchCasing = MatchCasing.CaseSensitive,
    };

    public string Folder => folder;

    /// <summary>The folder of one package, whether it is there or not.</summary>
    public string FolderOf(PackageEndpoint package) => Path.Combine(folder, PackageLock.KeyOf(package).Replace('/', Path.DirectorySeparatorChar));

    /// <summary>Verifies a package against the lock, every file of it, and finds what starts it.</summary>
    /// <exception cref="PackageException">It is not installed, not what was installed, or names no program.</exception>
    public StoredPackage Verify(PackageEndpoint package)
    {
        string name = $"{package.Name}@{package.Version}";
        PackageRecord record = PackageLock.Open(folder).Find(package)
            ?? throw new PackageException($"the package {name} is not in the guard's store. Run 'mcp-guard install' for this policy first");
        string place = FolderOf(package);
        string tree;
        try
        {
            tree = PackageTree.Compute(place);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new PackageException($"the installed copy of {name} cannot be read ({fault.GetType().Name}). Run 'mcp-guard install' again");
        }

        if (!string.Equals(tree, record.Tree, StringComparison.Ordinal))
        {
            throw new PackageException($"the installed copy of {name} is not what was installed: its SHA-512 is {tree}. Find out who changed it, then run 'mcp-guard install' again");
        }

        return Locate(package, place, tree);
    }

    /// <summary>Finds the program of a package in a folder, inside that folder.</summary>
    /// <exception cref="PackageException">There is none, or the choice is open.</exception>
    public static StoredPackage Locate(PackageEndpoint package, string place, string tree)
    {
        string root = LocalFiles.Instance.Resolve(place) is { Kind: HostFileKind.Folder } found ? found.Path : throw NoProgram(package, "its folder is missing");
        return package.Kind == PackageKind.Npm ? LocateNpm(package, root, tree) : LocateDotnet(package, root, tree);
    }

    private static StoredPackage LocateNpm(PackageEndpoint package, string root, string tree)
    {
        string own = Path.Combine(root, "node_modules", package.Name.Replace('/', Path.DirectorySeparatorChar));
        if (LocalFiles.Instance.Read(Path.Combine(own, "package.json"), LongestManifest) is not { } bytes)
        {
            throw NoProgram(package, "its package.json cannot be read");
        }

        string? program;
        try
        {
            using JsonDocument manifest = JsonDocument.Parse(bytes);
            if (!Says(manifest.RootElement, "name", package.Name) || !Says(manifest.RootElement, "version", package.Version))
            {
                throw NoProgram(package, "its package.json names another package or version");
            }

            program = NpmManifest.Program(manifest.RootElement, package.Name, package.Executable);
        }
        catch (JsonException)
        {
            throw NoProgram(package, "its package.json is not JSON");
        }

        return program is null
            ? throw NoProgram(package, "its package.json names no such command, or several; choose one with \"executable\"")
            : new StoredPackage(root, "node", Inside(package, own, program), tree);
    }

    private static StoredPackage LocateDotnet(PackageEndpoint package, string root, string tree)
    {
        string[] manifests = [.. Directory.EnumerateFiles(root, DotnetToolManifest.FileName, ToolFolders).Take(2)];
        if (manifests.Length != 1)
        {
            throw NoProgram(package, manifests.Length == 0 ? "it is no .NET tool" : "it holds several tools");
        }

        using FileStream xml = File.OpenRead(manifests[0]);
        if (DotnetToolManifest.Read(xml) is not { } manifest || (package.Executable is { } wanted && wanted != manifest.Command))
        {
            throw NoProgram(package, "its settings name no such command, or several");
        }

        return new StoredPackage(root, manifest.IsAssembly ? "dotnet" : null, Inside(package, Path.GetDirectoryName(manifests[0])!, manifest.EntryPoint), tree);
    }

    /// <summary>An entry of a manifest as a file inside the package, links resolved.</summary>
    private static string Inside(PackageEndpoint package, string own, string entry)
    {
        string path = Path.GetFullPath(Path.Combine(own, entry));
        return entry.Length > 0 && !entry.Contains('\0', StringComparison.Ordinal) && !Path.IsPathRooted(entry) && path.StartsWith(own + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            && LocalFiles.Instance.Resolve(path) is { Kind: HostFileKind.File } file && file.Path.StartsWith(own + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? file.Path
            : throw NoProgram(package, "its command is no file inside it");
    }

    private static bool Says(JsonElement manifest, string name, string wanted) =>
        manifest.ValueKind == JsonValueKind.Object && manifest.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.ValueEquals(wanted);

    private static PackageException NoProgram(PackageEndpoint package, string problem) => new($"the package {package.Name}@{package.Version} cannot be started: {problem}");
}
