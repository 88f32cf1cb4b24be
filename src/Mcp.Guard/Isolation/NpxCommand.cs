using System.Text.Json;
using Mcp.Guard.Packages;

namespace Mcp.Guard.Isolation;

/// <summary>
/// Turns <c>npx [-y] package [argument...]</c> into node and the script that npx would run from its cache. npx itself writes to its cache
/// and asks the registry at every start, which a box without writable home and network cannot give; what is started is the same.
/// </summary>
/// <param name="Script">The package's program.</param>
/// <param name="Arguments">What follows the package's name.</param>
/// <param name="Folder">The cache's folder of that package and its dependencies.</param>
internal sealed record NpxCommand(string Script, IReadOnlyList<string> Arguments, string Folder)
{
    private const int LongestFile = 1 << 20;
    private const int MostEntries = 4096;

    /// <summary>Finds the package in the cache.</summary>
    /// <exception cref="IsolationException">It is not there, or the arguments say more than a package.</exception>
    public static NpxCommand Find(IsolationOptions options, IsolationHost host, string cache)
    {
        int at = 0;
        while (at < options.Arguments.Count && options.Arguments[at] is "-y" or "--yes" or "--")
        {
            at++;
        }

        if (at == options.Arguments.Count || options.Arguments[at].StartsWith('-'))
        {
            throw new IsolationException(options.Server, IsolationFault.InvalidOptions, "npx is started in a box only as npx [-y] package [argument...]", "Leave other options of npx out, or start node with the installed script");
        }

        string wanted = options.Arguments[at];
        foreach (string folder in host.Files.Folders($"{cache}/_npx", MostEntries))
        {
            if (HoldsPackage(host, folder, wanted) && FindScript(host, folder, PackageName(wanted)) is { } script)
            {
                return new NpxCommand(script, [.. options.Arguments.Skip(at + 1)], folder);
            }
        }

        throw new IsolationException(
            options.Server,
            IsolationFault.SourceRefused,
            $"the package {Printable.Quote(wanted)} is not in the cache {cache}/_npx, and nothing is fetched at a start",
            "Install it with mcp-guard install, or run npx with the same package once outside");
    }

    private static bool HoldsPackage(IsolationHost host, string folder, string wanted) =>
        Read(host, $"{folder}/package.json", root =>
            root.TryGetProperty("_npx", out JsonElement npx)
            && npx.ValueKind == JsonValueKind.Object
            && npx.TryGetProperty("packages", out JsonElement packages)
            && packages.ValueKind == JsonValueKind.Array
            && packages.GetArrayLength() == 1
            && packages[0].ValueKind == JsonValueKind.String
            && packages[0].ValueEquals(wanted));

    // "@scope/name@version" and "name@version" lose what follows the second or first at sign.
    private static string PackageName(string wanted)
    {
        int version = wanted.IndexOf('@', wanted.StartsWith('@') ? 1 : 0);
        return version < 0 ? wanted : wanted[..version];
    }

    private static string? FindScript(IsolationHost host, string folder, string name)
    {
        string? found = null;
        string package = $"{folder}/node_modules/{name}";
        return HostPaths.Normalize(package) == package
            && Read(host, $"{package}/package.json", root => (found = NpmManifest.Program(root, name)) is not null)
            && HostPaths.Normalize($"{package}/{found}") is { } script
            && HostPaths.IsAtOrUnder(script, package)
            && host.Files.Resolve(script) is { Kind: HostFileKind.File }
            ? script
            : null;
    }

    private static bool Read(IsolationHost host, string path, Func<JsonElement, bool> judge)
    {
        if (host.Files.Read(path, LongestFile) is not { } bytes)
        {
            return false;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object && judge(document.RootElement);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
