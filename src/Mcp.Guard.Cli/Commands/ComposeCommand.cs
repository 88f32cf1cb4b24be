using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Mcp.Guard.Cli.Compose;
using Mcp.Guard.Cli.Servers;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Hosting;
using Mcp.Guard.Isolation;
using Mcp.Guard.Policy;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard compose POLICY</c>: a compose file with every server that the policy puts into a container, as the guard itself would start it.</summary>
internal static class ComposeCommand
{
    public static Command Create()
    {
        var policy = new Argument<string>("POLICY") { Description = "The policy file." };
        var output = new Option<string?>("--output", "-o") { Description = "The file to write; by default standard output.", HelpName = "FILE" };
        var force = new Option<bool>("--force") { Description = "Overwrite the file if it exists." };
        var command = new Verb(
            "compose",
            "Writes compose.yaml with the isolation of each server that runs in a container. Secrets stay references to the environment; packages have to be installed.",
            "mcp-guard compose mcp-guard.json -o compose.yaml",
            "docker compose run --rm -T files")
        {
            policy, output, force,
        };
        command.Runs(async (parsed, terminal, _) =>
        {
            PolicySnapshot read = PolicyFile.Read(parsed.GetValue(policy)!);
            JsonObject file = await BuildAsync(read, terminal, HostWithEngine()).ConfigureAwait(false);
            string yaml = $"# Written by 'mcp-guard compose' from policy revision {read.Revision[..12]}. Change the policy and write it again.\n{YamlText.Write(file)}";
            if (parsed.GetValue(output) is { } path)
            {
                Save(PolicyFile.FullPath(path), yaml, parsed.GetValue(force));
                terminal.Line($"Written: {PolicyFile.FullPath(path)}", Tone.Good);
            }
            else if (!terminal.IsJson)
            {
                terminal.Text(yaml);
            }

            terminal.Json(json =>
            {
                json.WritePropertyName("compose");
                file.WriteTo(json);
            });
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>The compose file of a policy.</summary>
    /// <exception cref="CommandFault">No server runs in a container, or one cannot be planned on this machine.</exception>
    internal static async Task<JsonObject> BuildAsync(PolicySnapshot policy, CommandTerminal terminal, IsolationHost host)
    {
        var services = new JsonObject();
        ServiceProvider provider = LookingGuard.Create(policy);
        await using (provider.ConfigureAwait(false))
        {
            var guard = provider.GetRequiredService<McpGuardHost>();
            foreach (ServerSettings server in policy.Servers.Values.OrderBy(static server => server.Id, StringComparer.Ordinal))
            {
                if (server.Isolation?.Mode != Policy.IsolationMode.Container)
                {
                    terminal.Warn($"{server.Id} is left out: {(server.Endpoint is CommandEndpoint or PackageEndpoint ? "its isolation is no container" : "the guard does not start it")}");
                    continue;
                }

                try
                {
                    services[server.Id] = ComposeService.From(guard.PlanIsolation(server, host), SecretsOf(server));
                }
                catch (Exception refused) when (refused is McpGuardException or InvalidOperationException)
                {
                    throw new CommandFault($"{server.Id}: {refused.Message}", "Compose files name this machine's folders and installed packages: run it where the containers will run.", cause: refused);
                }
            }
        }

        return services.Count > 0
            ? new JsonObject { ["services"] = services }
            : throw new CommandFault("no server of the policy runs in a container", "Give servers \"isolation\": { \"mode\": \"container\", \"image\": \"name@sha256:...\" }.");
    }

    /// <summary>This machine; a compose file can be written where no engine is installed.</summary>
    private static IsolationHost HostWithEngine()
    {
        IsolationHost host = IsolationHost.Detect();
        return host.Docker is null && host.Podman is null ? host with { Docker = "/usr/bin/docker" } : host;
    }

    private static Dictionary<string, string> SecretsOf(ServerSettings server)
    {
        IEnumerable<KeyValuePair<string, PolicyValue>> environment = server.Endpoint switch
        {
            CommandEndpoint command => command.Environment,
            PackageEndpoint package => package.Environment,
            _ => [],
        };
        return environment.Where(static pair => pair.Value.Secret is not null).ToDictionary(static pair => pair.Key, static pair => pair.Value.Secret!, StringComparer.Ordinal);
    }

    private static void Save(string path, string yaml, bool force)
    {
        try
        {
            using var file = new FileStream(path, force ? FileMode.Create : FileMode.CreateNew, FileAccess.Write);
            file.Write(Encoding.UTF8.GetBytes(yaml));
        }
        catch (IOException exists) when (!force && File.Exists(path))
        {
            throw new CommandFault($"{path} exists", "Name another file with -o, or overwrite it with --force.", cause: exists);
        }
    }
}
