using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.AspNetCore;

namespace Mcp.Guard.IntegrationTests.Eras;

/// <summary>The test server over Streamable HTTP, and legacy SSE, on a loopback port that the system chooses. It keeps the head and body of each request.</summary>
internal sealed class HttpEraServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<HttpExchange> _exchanges = new();

    private HttpEraServer(WebApplication app) => _app = app;

    public string Url { get; private set; } = string.Empty;

    /// <summary>Where the server serves legacy SSE.</summary>
    public string SseUrl => Url + "/sse";

    public IReadOnlyCollection<HttpExchange> Exchanges => _exchanges;

    /// <summary>The exchanges that carried a call of a tool.</summary>
    public IReadOnlyList<HttpExchange> Calls => [.. _exchanges.Where(exchange => exchange.Body.Contains("\"tools/call\"", StringComparison.Ordinal))];

    public static async Task<HttpEraServer> StartAsync(string log, HttpServerSessionMode mode = HttpServerSessionMode.StatefulForInitializeClients)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
#pragma warning disable MCP9003, MCP9004 // legacy SSE is obsolete; a host may still have to guard it
        IMcpServerBuilder server = builder.Services.AddMcpServer().WithHttpTransport(options =>
        {
            options.SessionMode = mode;
            options.EnableLegacySse = mode != HttpServerSessionMode.Stateless;
        });
#pragma warning restore MCP9003, MCP9004
        EraServer.Configure(server, log);
        WebApplication app = builder.Build();
        var running = new HttpEraServer(app);
        app.Use(running.RecordAsync);
        app.MapMcp("/mcp");
        await app.StartAsync();
        running.Url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/mcp";
        return running;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task RecordAsync(HttpContext context, RequestDelegate next)
    {
        context.Request.EnableBuffering();
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8, leaveOpen: true);
        string body = await reader.ReadToEndAsync(context.RequestAborted);
        context.Request.Body.Position = 0;
        _exchanges.Enqueue(new HttpExchange(
            context.Request.Method,
            context.Request.Path,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body));
        await next(context);
    }
}
