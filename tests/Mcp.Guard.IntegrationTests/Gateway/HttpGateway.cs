using System.IO.Pipelines;
using System.Security.Claims;
using System.Text.Json;
using Mcp.Guard.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.IntegrationTests.Gateway;

/// <summary>A gateway over Streamable HTTP on loopback, with two users by bearer token, and a server behind it in memory.</summary>
internal sealed class HttpGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _end = new();
    private readonly string _state = Directory.CreateTempSubdirectory("mcp-guard-tests-").FullName;
    private int _calls;

    public HttpGateway(HttpServerSessionMode mode, Action<GuardServerBuilder> behind, Action<McpGuardBuilder>? configure = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        McpGuardBuilder guard = builder.Services.AddMcpGuard(document =>
        {
            document.StateDirectory(Path.Combine(_state, "guard"));
            document.Server("behind", settings =>
            {
                settings.HostProvided();
                behind(settings);
            });
            document.Server("gateway", settings => settings.HostProvided().Ask("own", "own").Allow("free", "free"));
        });
        guard.UseAudit(Audit);
        configure?.Invoke(guard);
        builder.Services.AddMcpServer()
            .WithHttpTransport(options => options.SessionMode = mode)
            .WithTools(
            [
                McpServerTool.Create((string word) => "own " + word, new McpServerToolCreateOptions { Name = "own" }),
                McpServerTool.Create((string word) => "free " + word, new McpServerToolCreateOptions { Name = "free" }),
            ])
            .WithMcpGuard(gateway => gateway.Forward("behind", StartBehind));
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.Use((context, next) =>
        {
            string? token = context.Request.Headers.Authorization;
            if (token is not null && token.StartsWith("Bearer token-of-", StringComparison.Ordinal))
            {
                context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", token["Bearer token-of-".Length..])], "token"));
            }

            return next(context);
        });
        _app.MapMcp("/mcp");
    }

    public AuditCollector Audit { get; } = new();

    /// <summary>The calls that reached the server behind.</summary>
    public int Calls => Volatile.Read(ref _calls);

    public Uri Url => new(_app.Urls.First() + "/mcp");

    public static async Task<HttpGateway> StartAsync(HttpServerSessionMode mode, Action<GuardServerBuilder> behind, Action<McpGuardBuilder>? configure = null)
    {
        var gateway = new HttpGateway(mode, behind, configure);
        await gateway._app.StartAsync();
        return gateway;
    }

    public static ElicitResult Say(string word) => new()
    {
        Action = "accept",
        Content = new Dictionary<string, JsonElement> { ["answer"] = JsonSerializer.SerializeToElement(word) },
    };

    public async Task<McpClient> ConnectAsync(string? user, string protocolVersion, Func<ElicitRequestParams, ElicitResult>? answer = null) =>
        await McpClient.CreateAsync(
            new HttpClientTransport(new HttpClientTransportOptions
            {
                Endpoint = Url,
                TransportMode = HttpTransportMode.StreamableHttp,
                AdditionalHeaders = user is null ? [] : new Dictionary<string, string> { ["Authorization"] = "Bearer token-of-" + user },
            }),
            new McpClientOptions
            {
                ProtocolVersion = protocolVersion,
                Handlers = answer is null ? new McpClientHandlers() : new McpClientHandlers { ElicitationHandler = (asked, _) => new(answer(asked!)) },
            });

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _end.CancelAsync();
        _end.Dispose();
        Directory.Delete(_state, recursive: true);
    }

    private StreamClientTransport StartBehind()
    {
        var toServer = new Pipe();
        var toClient = new Pipe();
        var tools = new McpServerPrimitiveCollection<McpServerTool>();
        tools.Add(McpServerTool.Create(
            (string word) =>
            {
                Interlocked.Increment(ref _calls);
                return "behind " + word;
            },
            new McpServerToolCreateOptions { Name = "echo" }));
        McpServer server = McpServer.Create(new StreamServerTransport(toServer.Reader.AsStream(), toClient.Writer.AsStream()), new McpServerOptions { ToolCollection = tools });
        _ = server.RunAsync(_end.Token);
        return new StreamClientTransport(toServer.Writer.AsStream(), toClient.Reader.AsStream());
    }
}
