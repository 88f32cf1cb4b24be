using System.Net;
using System.Security.Claims;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Gateway;
using Mcp.Guard.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.AspNetCore;

namespace Mcp.Guard.Cli.Run;

/// <summary>
/// The gateway over Streamable HTTP, on loopback only. Reads no configuration but its command line: no settings file, no environment and no policy opens another
/// address. A request is read where it names this address as its host, comes from no foreign page, and brings a caller's token.
/// </summary>
internal static class HttpGateway
{
    private const long MaxBody = 2L << 20;

    public static async Task<int> RunAsync(RunOptions options, CommandTerminal terminal, CancellationToken ct)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, options.Port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
            kestrel.Limits.MaxConcurrentConnections = 1_000;
        });
        builder.Services.AddRouting();
        GatewayRun.Add(builder.Services, options, terminal).WithHttpTransport(transport =>
        {
            transport.SessionMode = HttpServerSessionMode.StatefulForInitializeClients;
#pragma warning disable MCP9006 // Clients of 2025-11-25 have sessions; how many may idle is bounded as long as they do.
            transport.MaxIdleSessionCount = 100;
#pragma warning restore MCP9006
        });
        WebApplication app = builder.Build();
        await using (app.ConfigureAwait(false))
        {
            BearerTokens tokens = BearerTokens.Create(options.Callers, out IReadOnlyList<(string Caller, string Token)> made);
            LoopbackRequests? admitted = null;
            app.Use(async (context, next) =>
            {
                if (admitted?.Admits(context.Request) != true)
                {
                    context.Response.StatusCode = StatusCodes.Status403Forbidden;
                    return;
                }

                if (tokens.CallerOf(context.Request.Headers.Authorization) is not { } caller)
                {
                    context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                    context.Response.Headers.WWWAuthenticate = "Bearer";
                    return;
                }

                context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", caller)], "mcp-guard"));
                await next(context).ConfigureAwait(false);
            });
            app.MapMcp("/mcp");
            var gateway = app.Services.GetRequiredService<GatewayServer>();
            await app.Services.GetRequiredService<McpGuardHost>().StartAsync(ct).ConfigureAwait(false);
            try
            {
                await app.StartAsync(ct).ConfigureAwait(false);
            }
            catch (IOException taken)
            {
                throw new CommandFault($"port {options.Port} cannot be used: {taken.Message}", "Give --http another port, or none for a free one.", cause: taken);
            }

            string address = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
            int port = new Uri(address).Port;
            Announce(options, terminal, $"http://127.0.0.1:{port}/mcp", made);
            Volatile.Write(ref admitted, new LoopbackRequests(port));
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
            try
            {
                FaultReport fault = await GatewayRun.WatchStartAsync(gateway, app.Services.GetRequiredService<RunLog>(), terminal, ended.Token).ConfigureAwait(false);
                throw new CommandFault(fault.Message, fault.Next) { Errors = fault.Errors, Details = fault.Details };
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return ExitCodes.Done;
            }
            finally
            {
                await ended.CancelAsync().ConfigureAwait(false);
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3), TimeProvider.System);
                await app.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>The address, and once the tokens: on standard error, or in a file that only its owner reads. The JSON value never holds them.</summary>
    private static void Announce(RunOptions options, CommandTerminal terminal, string url, IReadOnlyList<(string Caller, string Token)> tokens)
    {
        if (options.TokenFile is { } file)
        {
            WriteTokens(file, tokens);
            terminal.Note($"mcp-guard run: the tokens are in {file}");
        }
        else
        {
            foreach ((string caller, string token) in tokens)
            {
                terminal.Note($"mcp-guard run: caller '{caller}': Authorization: Bearer {token}");
            }
        }

        terminal.Note($"mcp-guard run: serving {url}");
        terminal.Json(json =>
        {
            json.WriteString("url", url);
            json.WriteStartArray("callers");
            foreach ((string caller, _) in tokens)
            {
                json.WriteStringValue(caller);
            }

            json.WriteEndArray();
        });
    }

    private static void WriteTokens(string file, IReadOnlyList<(string Caller, string Token)> tokens)
    {
        try
        {
            // A new file: one that is there may be somebody's to read, or a link.
            var create = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using var writer = new StreamWriter(new FileStream(file, create));
            foreach ((string caller, string token) in tokens)
            {
                writer.WriteLine($"{caller}\t{token}");
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CommandFault($"the tokens cannot be written to {file}: {refused.Message}", "Name a file that does not exist yet, in a folder of yours.", cause: refused);
        }
    }
}
