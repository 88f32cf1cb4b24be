using System.CommandLine;
using Mcp.Guard.Cli.Drafts;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Isolation;
using Mcp.Guard.Packages;

namespace Mcp.Guard.Cli.Commands;

/// <summary>
/// <c>mcp-guard init</c>: starts a server once, shut in, and writes a policy for what it offers; or takes in the servers of an MCP client, each after a
/// confirmation. Nothing is started before, nothing is overwritten unasked, and no secret is written or printed.
/// </summary>
internal static class InitCommand
{
    private const string RootStore = "/var/lib/mcp-guard/packages";

    public static Command Create()
    {
        var command = new Option<string?>("--command") { Description = "The server's program; its arguments follow after --.", HelpName = "PROGRAM" };
        var package = new Option<string?>("--package") { Description = "The server's package: [npm:]NAME[@VERSION] or dotnet:NAME@VERSION. It is installed into the guard's store, without install scripts.", HelpName = "PACKAGE" };
        var url = new Option<string?>("--url") { Description = "The URL of a server that runs already.", HelpName = "URL" };
        var from = new Option<string?>("--from") { Description = "The configuration of an MCP client (claude_desktop_config.json, .vscode/mcp.json, mcp.json): each of its servers, after a confirmation.", HelpName = "FILE" };
        var output = new Option<string>("--output", "-o") { Description = "The policy to write.", HelpName = "FILE", DefaultValueFactory = _ => "mcp-guard.json" };
        var name = new Option<string?>("--name") { Description = "The server's id in the policy; by default taken from its package, program or host.", HelpName = "ID" };
        var roots = new Option<string[]>("--root") { Description = "A folder that calls may reach, besides those that are arguments. Repeatable.", HelpName = "FOLDER" };
        var readable = new Option<string[]>("--readable") { Description = "A file or folder that the server needs to start. Repeatable.", HelpName = "PATH" };
        var environment = new Option<string[]>("--env") { Description = "A variable of the server: NAME (its value is a secret of that name, from the environment) or NAME=VALUE. Repeatable.", HelpName = "NAME[=VALUE]" };
        var allow = new Option<bool>("--allow-read-only") { Description = "Let tools pass without a question that say that they only read. Without it everything asks." };
        var unisolated = new Option<bool>("--unisolated") { Description = "Start the server without a box, with all your rights, and write that into the policy." };
        var yes = new Option<bool>("--yes") { Description = "Start every server of --from without asking." };
        var force = new Option<bool>("--force") { Description = "Overwrite the policy if it exists." };
        var store = new Option<string?>("--package-store") { Description = "The package store to write into the policy; by default in the user's state directory.", HelpName = "FOLDER" };
        var state = new Option<string?>("--state") { Description = "The state directory (pins, grants, audit) to write into the policy; by default the user's.", HelpName = "FOLDER" };
        var registry = new Option<string?>("--npm-registry") { Description = "The npm registry to install from; by default the one npm is configured for.", HelpName = "URL" };
        var source = new Option<string?>("--nuget-source") { Description = "The NuGet source, a URL or a folder; by default those NuGet is configured for.", HelpName = "SOURCE" };
        Option<int> timeout = VerbOptions.Timeout();
        var rest = new Argument<string[]>("ARGUMENTS") { Description = "Arguments of the server, after --. Without --command, --package and --url the first is the program.", Arity = ArgumentArity.ZeroOrMore };
        var verb = new Verb(
            "init",
            "Starts a server once, isolated and without network, lists its tools, and writes a policy in which everything asks until you reviewed it.",
            "mcp-guard init --package @modelcontextprotocol/server-filesystem -- ~/notes",
            "mcp-guard init --command node -- /opt/server/index.js /srv/project",
            "mcp-guard init --url https://mcp.example.com/mcp -o ~/policies/example.json",
            "mcp-guard init --from claude_desktop_config.json -o ~/policies/desktop.json")
        {
            command, package, url, from, output, name, roots, readable, environment, allow, unisolated, yes, force, store, state, registry, source, timeout, rest,
        };
        verb.Runs((parsed, terminal, ct) =>
        {
            var options = new InitOptions
            {
                Command = parsed.GetValue(command),
                Package = parsed.GetValue(package),
                Url = parsed.GetValue(url),
                From = parsed.GetValue(from),
                Output = PolicyFile.FullPath(parsed.GetValue(output)!),
                Name = parsed.GetValue(name),
                Roots = [.. (parsed.GetValue(roots) ?? []).Select(Existing)],
                Readable = [.. (parsed.GetValue(readable) ?? []).Select(Existing)],
                Environment = parsed.GetValue(environment) ?? [],
                AllowReadOnly = parsed.GetValue(allow),
                IsIsolated = !parsed.GetValue(unisolated),
                Yes = parsed.GetValue(yes),
                Force = parsed.GetValue(force),
                PackageStore = parsed.GetValue(store) is { } folder ? PolicyFile.FullPath(folder) : null,
                StateDirectory = parsed.GetValue(state) is { } own ? PolicyFile.FullPath(own) : null,
                Installer = new PackageInstallerOptions { NpmRegistry = parsed.GetValue(registry), NugetSource = parsed.GetValue(source) },
                Timeout = TimeSpan.FromSeconds(parsed.GetValue(timeout)),
                Arguments = parsed.GetValue(rest) ?? [],
            };
            return new InitRun(terminal, options).RunAsync(ct);
        });
        return verb;
    }

    private static string Existing(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(PolicyFile.FullPath(path));
        return Path.Exists(full) ? full : throw new CommandFault($"{full} does not exist", "Create it, or correct the path.");
    }

    /// <summary>A package store that servers of a root host can read: they run as another user, who cannot look into root's home.</summary>
    internal static string? DefaultStore(InitOptions options) =>
        options.PackageStore ?? (options is { IsIsolated: true, StateDirectory: null } && OperatingSystem.IsLinux() && IsolationHost.Detect().IsRoot ? RootStore : null);
}
