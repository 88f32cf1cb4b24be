using System.CommandLine;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Packages;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard install POLICY</c>: puts the policy's server packages into the guard's store, or verifies those that are there.</summary>
internal static class InstallCommand
{
    private const int MaxLine = 500;

    public static Command Create()
    {
        var policy = new Argument<string>("POLICY") { Description = "The policy file." };
        var check = new Option<bool>("--check") { Description = "Install nothing: verify every file of the installed packages against the lock." };
        var registry = new Option<string?>("--npm-registry") { Description = "The npm registry to install from; by default the one npm is configured for.", HelpName = "URL" };
        var source = new Option<string?>("--nuget-source") { Description = "The NuGet source, a URL or a folder; by default those NuGet is configured for.", HelpName = "SOURCE" };
        var command = new Verb(
            "install",
            "Installs the server packages that a policy names, into a store that no server can write. No install script is run.",
            "mcp-guard install mcp-guard.json",
            "mcp-guard install mcp-guard.json --check",
            "mcp-guard install mcp-guard.json --nuget-source ./packages")
        {
            policy, check, registry, source,
        };
        command.Runs((parsed, terminal, ct) => RunAsync(
            terminal,
            PolicyFile.Read(parsed.GetValue(policy)!),
            parsed.GetValue(check),
            new PackageInstallerOptions { NpmRegistry = parsed.GetValue(registry), NugetSource = parsed.GetValue(source) },
            ct));
        return command;
    }

    /// <returns>0 where every package is in the store as the lock says, 1 where one is not.</returns>
    private static async Task<int> RunAsync(CommandTerminal terminal, PolicySnapshot policy, bool check, PackageInstallerOptions options, CancellationToken ct)
    {
        var store = new PackageStore(policy.PackageStore);
        var installer = new PackageInstaller(store, options);
        var results = new List<InstallResult>();
        foreach (IGrouping<string, ServerSettings> servers in policy.Servers.Values.OrderBy(server => server.Id, StringComparer.Ordinal)
                     .Where(server => server.Endpoint is PackageEndpoint).GroupBy(server => server.Endpoint.Describe(), StringComparer.Ordinal))
        {
            var package = (PackageEndpoint)servers.First().Endpoint;
            string[] ids = [.. servers.Select(server => server.Id)];
            results.Add(await RunOneAsync(terminal, store, installer, package, ids, check, ct).ConfigureAwait(false));
        }

        if (results.Count == 0)
        {
            terminal.Line("The policy names no server by \"package\": there is nothing to install.");
        }
        else
        {
            terminal.Line();
            terminal.Line($"Store: {policy.PackageStore}", Tone.Faint);
        }

        bool failed = results.Exists(result => result.Fault is not null);
        terminal.Json(json =>
        {
            json.WriteString("store", policy.PackageStore);
            json.WriteBoolean("ok", !failed);
            json.WriteStartArray("packages");
            foreach (InstallResult result in results)
            {
                result.Write(json);
            }

            json.WriteEndArray();
        });
        return failed ? ExitCodes.Negative : ExitCodes.Done;
    }

    private static async Task<InstallResult> RunOneAsync(
        CommandTerminal terminal, PackageStore store, PackageInstaller installer, PackageEndpoint package, string[] servers, bool check, CancellationToken ct)
    {
        string name = $"{package.Name}@{package.Version}";
        try
        {
            bool installed = !check
                && await terminal.WithProgressAsync($"installing {name}", () => installer.InstallAsync(package, ct)).ConfigureAwait(false);
            StoredPackage stored = await terminal.WithProgressAsync($"verifying {name}", () => Task.Run(() => store.Verify(package), ct)).ConfigureAwait(false);
            string what = installed ? "installed" : check ? "verified" : "already installed, verified";
            terminal.Line($"{name}: {what}", Tone.Good);
            terminal.Line($"  sha512 {stored.Tree}", Tone.Faint);
            return new(package, servers, what, stored.Tree, Fault: null);
        }
        catch (Exception fault) when (fault is PackageException or IOException or UnauthorizedAccessException)
        {
            // What the registry's client said has several lines; indented, none of them can pass for one of ours.
            string[] lines = fault.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            terminal.Note($"mcp-guard install: {name}: {TerminalText.FromServer(lines[0], MaxLine)}", Tone.Bad);
            foreach (string line in lines.AsSpan(1))
            {
                terminal.Note("  " + TerminalText.FromServer(line, MaxLine));
            }

            return new(package, servers, "failed", Tree: null, string.Join(' ', lines.Select(static line => TerminalText.FromServer(line, MaxLine))));
        }
    }

    private sealed record InstallResult(PackageEndpoint Package, string[] Servers, string State, string? Tree, string? Fault)
    {
        public void Write(System.Text.Json.Utf8JsonWriter json)
        {
            json.WriteStartObject();
            json.WriteString("kind", Package.Kind == PackageKind.Npm ? "npm" : "dotnet");
            json.WriteString("name", Package.Name);
            json.WriteString("version", Package.Version);
            json.WriteTexts("servers", Servers);
            json.WriteString("state", State);
            if (Tree is not null)
            {
                json.WriteString("sha512", Tree);
            }

            if (Fault is not null)
            {
                json.WriteString("fault", Fault);
            }

            json.WriteEndObject();
        }
    }
}
