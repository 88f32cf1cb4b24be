using System.Text.Json;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Packages;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>Finds the exact version behind what a command line asks of a registry: nothing, a tag or a range. The registry's own client is asked.</summary>
internal static class PackageVersions
{
    private const int LongestAnswer = 8 * 1024;

    /// <returns>The draft with one exact version.</returns>
    /// <exception cref="CommandFault">The registry has no such version, or the version of a .NET tool was not said.</exception>
    /// <exception cref="PackageException">npm is not there, or failed.</exception>
    public static async Task<ServerDraft> PinAsync(ServerDraft draft, PackageInstallerOptions options, CancellationToken ct)
    {
        if (draft.Package is not { } name || IsExact(name, draft.Version ?? string.Empty))
        {
            return draft;
        }

        if (draft.Registry == PackageKind.Dotnet)
        {
            throw new CommandFault($"the .NET tool {name} has no exact version", $"Name one, as in dotnet:{name}@1.2.3.");
        }

        string asked = string.IsNullOrEmpty(draft.Version) ? "latest" : draft.Version;
        List<string> arguments = ["view", $"{name}@{asked}", "version", "--json"];
        if (options.NpmRegistry is { } registry)
        {
            arguments.AddRange(["--registry", registry]);
        }

        // A folder of its own: no .npmrc of the folder that the command is run in says where to ask.
        DirectoryInfo folder = Directory.CreateTempSubdirectory("mcp-guard-");
        try
        {
            string answer = await PackageClient.RunAsync("npm", arguments, folder.FullName, options, ct).ConfigureAwait(false);
            string version = Last(answer) ?? throw new CommandFault($"the registry names no version of {name}@{asked}", "Check the name, or write an exact version.");
            return IsExact(name, version)
                ? (draft with { Version = version }).WithNote($"'{asked}' was {version} when this was written; a later version is taken only by changing the policy")
                : throw new CommandFault($"the registry gives no exact version for {name}@{asked}", "Write an exact version.");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static bool IsExact(string name, string version) =>
        CommandArgument.TryPackage(name, version, out _, out _) && version.Split('-', '+')[0].Split('.') is { Length: 3 or 4 } numbers && numbers.All(static number => number.Length > 0 && number.All(char.IsAsciiDigit));

    /// <summary>npm answers with one text, or with a list of those that are in a range: the last is the newest.</summary>
    private static string? Last(string answer)
    {
        int start = answer.AsSpan().IndexOfAny('"', '[');
        if (start < 0 || answer.Length > LongestAnswer)
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(answer[start..]);
            JsonElement found = document.RootElement;
            if (found.ValueKind == JsonValueKind.Array && found.GetArrayLength() > 0)
            {
                found = found[found.GetArrayLength() - 1];
            }

            return found.ValueKind == JsonValueKind.String ? found.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
