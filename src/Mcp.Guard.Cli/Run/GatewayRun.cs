using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Cli.Commands;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Gateway;
using Mcp.Guard.Hosting;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Schema;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Cli.Run;

/// <summary>Puts the gateway together and runs it until its client leaves or it is stopped.</summary>
internal static class GatewayRun
{
    public static async Task<int> RunAsync(RunOptions options, CommandTerminal terminal, CancellationToken ct)
    {
        // A fault of anything below that writes to the console must not break the protocol on standard output.
        Console.SetOut(Console.Error);
        options = Checked(options);
        if (options.IsDryRun)
        {
            terminal.Note("mcp-guard run: DRY RUN. What rules, rates, budgets and consent would deny is recorded and PASSES; nobody is asked.", Tone.Bad);
            terminal.Note("mcp-guard run: DRY RUN. Admission, isolation, roots, schemas, pins, limits of size, time and parallel calls stay in force.", Tone.Bad);
        }

        try
        {
            return options.IsHttp
                ? await HttpGateway.RunAsync(options, terminal, ct).ConfigureAwait(false)
                : await StdioGateway.RunAsync(options, terminal, ct).ConfigureAwait(false);
        }
        catch (InvalidOperationException held) when (held.Message.StartsWith("Another process", StringComparison.Ordinal))
        {
            throw new CommandFault(
                held.Message.TrimEnd('.'), "Another gateway of this policy runs. Let both clients use it with --http, or give this one a policy with a \"stateDirectory\" of its own.", cause: held);
        }
    }

    /// <summary>Adds the guard and the gateway, without a transport.</summary>
    public static IMcpServerBuilder Add(IServiceCollection services, RunOptions options, CommandTerminal terminal)
    {
        services.AddLogging(logging =>
        {
            logging.ClearProviders();
            logging.SetMinimumLevel(LogLevel.Information);
        });
        services.AddSingleton(_ => new RunLog(terminal));
        services.AddSingleton<ILoggerProvider>(static provider => provider.GetRequiredService<RunLog>());
        McpGuardBuilder guard = options.Audit is { } audit ? services.AddMcpGuard(WithAudit(options.Policy, audit)) : services.AddMcpGuard(options.Policy);
        switch (options.Consent)
        {
            case RunConsent.Terminal:
                guard.UseConsent(TerminalConsent.Open());
                break;
            case RunConsent.Deny:
                guard.DenyInsteadOfAsking();
                break;
        }

        if (options.IsDryRun)
        {
            guard.RunDry();
        }

        // Which servers there are says the policy, which the guard reads once, as it is when the guard is made.
        services.AddOptions<McpGuardGatewayOptions>().Configure<McpGuardHost>((gateway, host) => Forward(gateway, host.Runtime.Policy.Current, options, terminal));
        return services
            .AddMcpServer(server => server.ServerInfo = new Implementation { Name = "mcp-guard", Version = typeof(GatewayRun).Assembly.GetName().Version?.ToString(3) ?? "0" })
            .WithMcpGuard();
    }

    /// <summary>
    /// Starts the servers beside the first requests. One that does not start is told of on standard error and takes nothing from the others.
    /// </summary>
    /// <returns>Ends in the fault to report where not one server starts; otherwise never.</returns>
    public static async Task<FaultReport> WatchStartAsync(GatewayServer gateway, RunLog log, CommandTerminal terminal, CancellationToken ct)
    {
        (string Server, Task Connected)[] starting = gateway.Warm();
        FaultReport? last = null;
        int failed = 0;
        foreach ((string server, Task connected) in starting)
        {
            try
            {
                await connected.WaitAsync(ct).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                failed++;
                FaultReport known = FaultReport.OfServer(fault);
                last = new FaultReport($"the server '{server}' does not start: {known.Message}", known.Next, ExitCodes.BadInput, known.Errors) { Details = log.LinesOf(server) };
                if (failed < starting.Length)
                {
                    foreach (string line in last.Details)
                    {
                        terminal.Note(line);
                    }

                    terminal.Warn($"{last.Message}. {last.Next}");
                }
            }
        }

        if (failed == starting.Length && last is not null)
        {
            return last;
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct).ConfigureAwait(false);
        throw new OperationCanceledException(ct);
    }

    private static RunOptions Checked(RunOptions options)
    {
        string path = PolicyFile.FullPath(options.Policy);
        PolicyFile.Bytes(path); // one message for what is not there or cannot be read, before anything starts
        IReadOnlyList<string> callers = options.Callers.Count > 0 ? options.Callers : [Environment.UserName is { Length: > 0 } name ? name : "local"];
        if (!options.IsHttp && callers.Count > 1)
        {
            throw new CommandFault("over standard streams there is one caller", "Give --caller once, or serve several with --http.");
        }

        if (callers.Any(static caller => string.IsNullOrWhiteSpace(caller) || caller.Length > 256 || caller.Any(char.IsControl)) || callers.Distinct(StringComparer.Ordinal).Count() != callers.Count)
        {
            throw new CommandFault("a caller has no name, one of more than 256 characters, or is named twice", "Give each --caller a name of its own.");
        }

        if (options.Port is < 0 or > 65_535)
        {
            throw new CommandFault($"{options.Port} is no port", "Give --http a number from 1 to 65535, or none for a free port.");
        }

        if (options.TokenFile is not null && !options.IsHttp)
        {
            throw new CommandFault("--token-file is for --http only", "Over standard streams there are no tokens.");
        }

        return options with { Policy = path, Callers = callers };
    }

    private static void Forward(McpGuardGatewayOptions gateway, PolicySnapshot policy, RunOptions options, CommandTerminal terminal)
    {
        gateway.LocalUser = options.Callers[0];
        gateway.QualifyNames = !options.PlainNames;
        while (policy.Servers.ContainsKey(gateway.ServerId))
        {
            gateway.ServerId += "-run"; // the gateway has nothing of its own; a server may be called like it
        }

        foreach (ServerSettings server in policy.Servers.Values.OrderBy(static server => server.Id, StringComparer.Ordinal))
        {
            if (server.Endpoint is HostProvidedEndpoint)
            {
                terminal.Warn($"the server '{server.Id}' is \"hostProvided\": there is no host here to provide it, so it is left out.");
            }
            else
            {
                gateway.Forward(server.Id);
            }
        }

        if (gateway.Forwarded.Count == 0)
        {
            throw new CommandFault("the policy names no server that could be run", "Add one to \"servers\", or let 'mcp-guard init' write a policy.");
        }

        if (options.PlainNames && gateway.Forwarded.Count != 1)
        {
            throw new CommandFault("--plain-names is for a policy with one server", "Leave it out: names of several servers could be mistaken for each other.");
        }
    }

    /// <summary>The policy with another folder for its audit, read like any other: the folder is protected like the policy's own.</summary>
    private static PolicySnapshot WithAudit(string path, string directory)
    {
        byte[] text = PolicyFile.Bytes(path);
        var schemas = new BuiltInSchemaCompiler();
        PolicyReader.Read(text, path, schemas); // its errors have the file's own lines
        var document = (JsonObject)JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true })!;
        if (document["audit"] is not JsonObject audit)
        {
            document["audit"] = audit = [];
        }

        audit["directory"] = PolicyFile.FullPath(directory);
        using var written = new MemoryStream();
        using (var writer = new Utf8JsonWriter(written))
        {
            document.WriteTo(writer);
        }

        return PolicyReader.Read(written.ToArray(), path, schemas);
    }
}
