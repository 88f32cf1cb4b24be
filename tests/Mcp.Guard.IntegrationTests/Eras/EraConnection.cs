using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ModelContextProtocol.Client;

namespace Mcp.Guard.IntegrationTests.Eras;

/// <summary>The test server behind the guard and, to compare with, another one of the same kind with nothing between; each counts in a file of its own.</summary>
internal sealed class EraConnection : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _parts = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("mcp-guard-era-").FullName;
    private readonly string _log;

    private EraConnection()
    {
        _log = Path.Combine(_folder, "calls.txt");
        Root = Directory.CreateDirectory(Path.Combine(_folder, "root")).FullName;
        File.WriteAllText(Path.Combine(Root, "a.txt"), "inside");
        File.WriteAllText(Path.Combine(_folder, "outside.txt"), "outside");
    }

    public string Root { get; }

    public string Outside => Path.Combine(_folder, "outside.txt");

    public AuditCollector Audit { get; } = new();

    public IMcpGuard Guard { get; private set; } = null!;

    public McpClient Guarded { get; private set; } = null!;

    public McpClient Plain { get; private set; } = null!;

    /// <summary>The HTTP server behind the guard; null for other transports.</summary>
    public HttpEraServer? Http { get; private set; }

    /// <summary>Connects twice in one protocol era.</summary>
    /// <param name="transport"><c>streams</c>, <c>stdio</c> or <c>http</c>.</param>
    /// <param name="version">The protocol version that the client insists on; null leaves it to the SDK.</param>
    /// <param name="server">Adds to the policy for the server.</param>
    /// <param name="configure">Adds to the guard.</param>
    public static async Task<EraConnection> OpenAsync(
        string transport, string? version, Action<GuardServerBuilder>? server = null, Action<McpGuardBuilder>? configure = null, McpClientOptions? options = null)
    {
        var connection = new EraConnection();
        try
        {
            await connection.ConnectAsync(transport, version, server, configure, options ?? new McpClientOptions());
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>How often something of the guarded server was reached.</summary>
    public int Reached(string what) => File.Exists(_log) ? File.ReadAllLines(_log).Count(line => line == what) : 0;

    /// <summary>Lets the tool <c>progress</c> end.</summary>
    public void TellServerThatProgressWasHeard() => File.WriteAllText(_log + ".heard", string.Empty);

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task ConnectAsync(string transport, string? version, Action<GuardServerBuilder>? server, Action<McpGuardBuilder>? configure, McpClientOptions options)
    {
        string plainLog = Path.Combine(_folder, "plain.txt");
        // The SDK gives a server five seconds to answer its first question; on a busy machine a process may need longer to start.
        var plainOptions = new McpClientOptions { ProtocolVersion = version, DiscoverProbeTimeout = TimeSpan.FromSeconds(30) };
        options.ProtocolVersion = version;
        options.DiscoverProbeTimeout = plainOptions.DiscoverProbeTimeout;
        switch (transport)
        {
            case "streams":
                Plain = await McpClient.CreateAsync(Streams(plainLog), plainOptions);
                _parts.Add(Plain);
                StartGuard(settings => settings.HostProvided(), server, configure);
                Guarded = await McpClient.CreateAsync(Guard.Protect("era", Streams(_log)), options);
                break;

            case "stdio":
                Plain = await McpClient.CreateAsync(
                    new StdioClientTransport(new()
                    {
                        Command = EraServer.Dotnet,
                        Arguments = [EraServer.Library],
                        EnvironmentVariables = new Dictionary<string, string?> { [EraServer.Variable] = plainLog },
                    }),
                    plainOptions);
                _parts.Add(Plain);
                StartGuard(settings => settings.Command(EraServer.Dotnet, EraServer.Library).Environment(EraServer.Variable, _log).WithoutIsolation(), server, configure);
                Guarded = await Guard.ConnectAsync("era", options);
                break;

            default:
                HttpEraServer plain = await HttpEraServer.StartAsync(plainLog);
                _parts.Add(plain);
                Plain = await McpClient.CreateAsync(new HttpClientTransport(new() { Endpoint = new Uri(plain.Url) }), plainOptions);
                _parts.Add(Plain);
                Http = await HttpEraServer.StartAsync(_log);
                _parts.Add(Http);
                StartGuard(settings => settings.Url(transport == "sse" ? Http.SseUrl : Http.Url), server, configure);
                Guarded = await Guard.ConnectAsync("era", options);
                break;
        }

        _parts.Add(Guarded);
    }

    private IClientTransport Streams(string log)
    {
        var pair = new InMemoryTransportPair();
        _parts.Add((IAsyncDisposable)EraServer.StartOnStreams(pair.ServerInput, pair.ServerOutput, log));
        return pair.ClientTransport;
    }

    private void StartGuard(Action<GuardServerBuilder> reach, Action<GuardServerBuilder>? server, Action<McpGuardBuilder>? configure)
    {
        var services = new ServiceCollection();
        McpGuardBuilder builder = services.AddMcpGuard(policy => policy
                .StateDirectory(Path.Combine(_folder, "guard-state"))
                .Server("era", settings =>
                {
                    reach(settings);
                    settings.Root(Root)
                        .Allow("all", rule => rule.Tools("*").Prompts("*").Resources("*").RateLimit(1000, TimeSpan.FromSeconds(1)))
                        .Deny("no", rule => rule.Tools("forbidden").Resources("test://secret"));
                    server?.Invoke(settings);
                }))
            .UseAudit(Audit)
            .UseConsent(new ScriptedConsentProvider());
        configure?.Invoke(builder);
        ServiceProvider provider = services.BuildServiceProvider();
        _parts.Add(provider);
        Guard = provider.GetRequiredService<IMcpGuard>();
    }
}
