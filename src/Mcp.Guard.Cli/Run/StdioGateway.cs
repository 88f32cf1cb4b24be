using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Gateway;
using Mcp.Guard.Hosting;
using Mcp.Guard.Stages.ResultLimit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Cli.Run;

/// <summary>The gateway over standard streams: one client, which started this process. Nothing but the protocol is written to standard output.</summary>
internal static class StdioGateway
{
    /// <summary>The longest line of a client, in bytes: the largest request that the guard judges, and its envelope.</summary>
    private const int MaxLine = 2 << 20;

    public static async Task<int> RunAsync(RunOptions options, CommandTerminal terminal, CancellationToken ct)
    {
        MessageTooLargeException? tooLarge = null;
        var services = new ServiceCollection();
        GatewayServer? gateway = null;
        McpServer? server = null;
        var transport = new ClientLineTransport(Console.OpenStandardInput(), Console.OpenStandardOutput(), MaxLine, fault => tooLarge = fault, TimeProvider.System)
        {
            HasRoom = StandardOutputRoom.Has,
            Takes = call => gateway!.Takes(call, server!),
            Answer = (call, cancelled) => gateway!.AnswerAsync(call, server!, cancelled),
        };
        services.AddSingleton<ITransport>(transport);
        GatewayRun.Add(services, options, terminal);

        // A read of standard input cannot be cancelled: whatever waits for it would keep a process that has to end. So neither the transport nor what holds it is
        // disposed of; the servers and the audit are, and nothing else outlives the process.
        ServiceProvider provider = services.BuildServiceProvider();
        var host = provider.GetRequiredService<McpGuardHost>();
        gateway = provider.GetRequiredService<GatewayServer>();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);

        // Beside the rest: what a client asks meanwhile waits for the guard's start, and ends with it where it fails.
        Task started = Task.Run(() => host.StartAsync(ct), CancellationToken.None);
        try
        {
            Task<FaultReport> starting = WatchAsync();
            server = McpServer.Create(
                transport,
                provider.GetRequiredService<IOptions<McpServerOptions>>().Value,
                provider.GetRequiredService<ILoggerFactory>(),
                provider);
            transport.Start();
            Task serving = server.RunAsync(ended.Token);
            await ((Task)Task.WhenAny(serving, starting)).WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await started.ConfigureAwait(false);
            if (starting.IsCompletedSuccessfully && await starting.ConfigureAwait(false) is { } fault)
            {
                throw new CommandFault(fault.Message, fault.Next) { Errors = fault.Errors, Details = fault.Details };
            }

            if (tooLarge is not null)
            {
                throw new CommandFault($"the client sent a line of more than {MaxLine} bytes, so the connection was ended", "No request is that large; see what the client sends.");
            }

            return ExitCodes.Done;
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await started.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await gateway.DisposeAsync().ConfigureAwait(false);
            await host.DisposeAsync().ConfigureAwait(false);
        }

        async Task<FaultReport> WatchAsync()
        {
            await started.ConfigureAwait(false);
            return await GatewayRun.WatchStartAsync(gateway, provider.GetRequiredService<RunLog>(), terminal, ended.Token).ConfigureAwait(false);
        }
    }
}
