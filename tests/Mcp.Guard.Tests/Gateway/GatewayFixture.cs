using System.IO.Pipelines;
using System.Security.Claims;
using Mcp.Guard.Gateway;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>
/// A gateway in memory: own tools under the id "gateway", the tools of a message-level server under "behind". Each client has a connection of its own, and the
/// user that the test gives it.
/// </summary>
internal sealed class GatewayFixture : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly string _state = Directory.CreateTempSubdirectory("mcp-guard-tests-").FullName;
    private readonly List<Func<Task>> _ends = [];
    private readonly Dictionary<McpClient, McpServer> _sessions = [];

    public GatewayFixture(
        Action<GuardServerBuilder>? behind = null,
        Action<GuardServerBuilder>? own = null,
        Action<McpGuardBuilder>? configure = null,
        Action<McpGuardGatewayOptions>? options = null,
        Action<IMcpServerBuilder>? server = null,
        bool elicits = true,
        Action<GuardPolicyBuilder>? policy = null,
        Func<IClientTransport>? transport = null)
    {
        Behind = new RawServer();
        var services = new ServiceCollection();
        McpGuardBuilder guard = services.AddMcpGuard(document =>
        {
            document.StateDirectory(Path.Combine(_state, "guard"));
            document.Server("behind", settings =>
            {
                settings.HostProvided();
                (behind ?? (all => all.Allow("all", "*")))(settings);
            });
            policy?.Invoke(document);
            if (own is not null)
            {
                document.Server("gateway", settings =>
                {
                    settings.HostProvided();
                    own(settings);
                });
            }
        });
        guard.UseAudit(Audit);
        configure?.Invoke(guard);
        IMcpServerBuilder builder = services.AddMcpServer().WithMcpGuard(gateway =>
        {
            gateway.Forward("behind", transport ?? (() => Behind));
            options?.Invoke(gateway);
        });
        server?.Invoke(builder);
        _services = services.BuildServiceProvider();
        Elicits = elicits;
    }

    public RawServer Behind { get; }

    public AuditCollector Audit { get; } = new();

    public bool Elicits { get; }

    public IServiceProvider Services => _services;

    public GatewayServer Gateway => _services.GetRequiredService<GatewayServer>();

    public IMcpGuard Guard => _services.GetRequiredService<IMcpGuard>();

    /// <summary>The gateway's questions to each client's person, in order.</summary>
    public List<ElicitRequestParams> Questions { get; } = [];

    public static ClaimsPrincipal User(string name, string issuer = ClaimsIdentity.DefaultIssuer, bool authenticated = true) =>
        new(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, name, ClaimValueTypes.String, issuer)], authenticated ? "test" : null));

    public static string TextOf(CallToolResult result) => string.Join('\n', result.Content.OfType<TextContentBlock>().Select(block => block.Text));

    public static ElicitResult Answer(string word) => new()
    {
        Action = "accept",
        Content = new Dictionary<string, System.Text.Json.JsonElement> { ["answer"] = System.Text.Json.JsonSerializer.SerializeToElement(word) },
    };

    /// <summary>A client whose requests the transport marks as this user's, as an authenticating HTTP host would.</summary>
    public async Task<McpClient> ConnectAsync(
        ClaimsPrincipal? user,
        Func<ElicitRequestParams, CancellationToken, ValueTask<ElicitResult>>? answer = null,
        string? protocolVersion = null,
        string clientName = "test",
        Action<McpClientHandlers>? configure = null)
    {
        var toServer = new Pipe();
        var toClient = new Pipe();
        McpServerOptions options = _services.GetRequiredService<IOptionsFactory<McpServerOptions>>().Create(Options.DefaultName);
        McpServer server = McpServer.Create(
            new UserTransport(new StreamServerTransport(toServer.Reader.AsStream(), toClient.Writer.AsStream()), user), options, serviceProvider: _services);
        Task running = server.RunAsync();
        var handlers = new McpClientHandlers();
        if (Elicits)
        {
            handlers.ElicitationHandler = async (asked, ct) =>
            {
                lock (Questions)
                {
                    Questions.Add(asked!);
                }

                return answer is null ? new ElicitResult { Action = "decline" } : await answer(asked!, ct);
            };
        }

        configure?.Invoke(handlers);
        McpClient client = await McpClient.CreateAsync(
            new StreamClientTransport(toServer.Writer.AsStream(), toClient.Reader.AsStream()),
            new McpClientOptions { Handlers = handlers, ProtocolVersion = protocolVersion, ClientInfo = new Implementation { Name = clientName, Version = "1" } });
        _sessions.Add(client, server);
        _ends.Add(async () =>
        {
            await client.DisposeAsync();
            await server.DisposeAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        return client;
    }

    /// <summary>Ends a client's session as a host does that is told to stop, or whose connection broke. The end of the client's input alone does not: the SDK waits for its open calls.</summary>
    public async Task EndSessionAsync(McpClient client)
    {
        await client.DisposeAsync();
        await _sessions[client].DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Func<Task> end in _ends)
        {
            await end();
        }

        await _services.DisposeAsync();
        Directory.Delete(_state, recursive: true);
    }
}
