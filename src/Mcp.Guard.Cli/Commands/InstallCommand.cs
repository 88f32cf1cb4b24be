using System.CommandLine;
using Mcp.Guard.Packages;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Schema;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard install POLICY</c>: puts the policy's server packages into the guard's store, or verifies those that are there.</summary>
internal static class InstallCommand
{
    public static Command Create()
    {
        var policy = new Argument<string>("POLICY") { Description = "The policy file." };
        var check = new Option<bool>("--check") { Description = "Install nothing: verify every file of the installed packages against the lock." };
        var registry = new Option<string?>("--npm-registry") { Description = "The npm registry to install from; by default the one npm is configured for." };
        var source = new Option<string?>("--nuget-source") { Description = "The NuGet source, a URL or a folder; by default those NuGet is configured for." };
        var command = new Command("install", "Installs the server packages that a policy names, into a store that no server can write.") { policy, check, registry, source };
        command.SetAction((parsed, ct) => RunAsync(
            parsed.GetValue(policy)!,
            parsed.GetValue(check),
            new PackageInstallerOptions { NpmRegistry = parsed.GetValue(registry), NugetSource = parsed.GetValue(source) },
            ct));
        return command;
    }

    /// <returns>0 where every package is in the store as the lock says, 1 where one is not, 2 where the policy cannot be read.</returns>
    private static async Task<int> RunAsync(string path, bool check, PackageInstallerOptions options, CancellationToken ct)
    {
        PolicySnapshot policy;
        try
        {
            path = Path.GetFullPath(path);
            policy = PolicyReader.Read(await File.ReadAllBytesAsync(path, ct).ConfigureAwait(false), path, new BuiltInSchemaCompiler());
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or McpGuardPolicyException)
        {
            await Console.Error.WriteLineAsync($"mcp-guard install: {fault.Message}").ConfigureAwait(false);
            return 2;
        }

        var store = new PackageStore(policy.PackageStore);
        var installer = new PackageInstaller(store, options);
        int result = 0;
        foreach (IGrouping<string, ServerSettings> servers in policy.Servers.Values.OrderBy(server => server.Id, StringComparer.Ordinal)
                     .Where(server => server.Endpoint is PackageEndpoint).GroupBy(server => server.Endpoint.Describe(), StringComparer.Ordinal))
        {
            var package = (PackageEndpoint)servers.First().Endpoint;
            string name = $"{package.Name}@{package.Version}";
            try
            {
                string what = check ? "verified" : await installer.InstallAsync(package, ct).ConfigureAwait(false) ? "installed" : "already installed, verified";
                StoredPackage stored = store.Verify(package);
                await Console.Out.WriteLineAsync($"{name}: {what}, sha512 {stored.Tree}").ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is PackageException or IOException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync($"mcp-guard install: {name}: {fault.Message}").ConfigureAwait(false);
                result = 1;
            }
        }

        return result;
    }
}
