using Mcp.Guard.Audit;
using Mcp.Guard.Benchmarks.Calls;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Roots;
using Mcp.Guard.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Benchmarks.RoundTrips;

/// <summary>One server for each way to it: plain, through a transport that only passes on, and through the guard.</summary>
internal sealed class RoundTripSetup : IAsyncDisposable
{
    public const string Plain = "plain";
    public const string Guarded = "guarded, everything on";
    public const string Unwritten = "guarded, records dropped";

    /// <summary>A tool that a rule denies; no server is asked for it.</summary>
    private const string Forbidden = "drop_all";

    private readonly string _folder = Directory.CreateTempSubdirectory("mcp-guard-bench-").FullName;
    private readonly List<IAsyncDisposable> _parts = [];

    private RoundTripSetup()
    {
        string root = Directory.CreateDirectory(Path.Combine(_folder, "project")).FullName;
        FilePath = Path.Combine(root, "main.cs");
        File.WriteAllText(FilePath, "x");
        Arguments = EditServer.ArgumentsFor(FilePath);
    }

    public string FilePath { get; }

    public Dictionary<string, object?> Arguments { get; }

    /// <summary>The ways, the plain one first.</summary>
    public List<(string Name, McpClient Client, string Tool, bool IsDenied)> Ways { get; } = [];

    /// <summary>Connects.</summary>
    /// <param name="kind"><c>memory</c>, <c>stdio</c> or <c>http</c>.</param>
    public static async Task<RoundTripSetup> OpenAsync(string kind)
    {
        var setup = new RoundTripSetup();
        string url = kind == "http" ? await setup.ServeHttpAsync() : string.Empty;
        await setup.AddAsync(Plain, await McpClient.CreateAsync(setup.Transport(kind, url)));
        await setup.AddAsync("passed on", await McpClient.CreateAsync(new PassingTransport(setup.Transport(kind, url))));
        await setup.AddAsync("passed on, with 7 us of work before each message", await McpClient.CreateAsync(new PassingTransport(setup.Transport(kind, url), TimeSpan.FromMicroseconds(7))));
        await setup.AddAsync("passed on, with the system calls of one path", await McpClient.CreateAsync(new PassingTransport(setup.Transport(kind, url), onSend: setup.LookAtPath)));
        foreach ((string name, AuditChoice audit) in (IEnumerable<(string, AuditChoice)>)[(Unwritten, AuditChoice.None), ("guarded, records into the queue", AuditChoice.Queue), (Guarded, AuditChoice.Files)])
        {
            IMcpGuard guard = setup.Guard(kind, url, audit);
            McpClient client = kind == "memory" ? await McpClient.CreateAsync(guard.Protect("measured", setup.Transport(kind, url))) : await guard.ConnectAsync("measured");
            await setup.AddAsync(name, client);
            if (name is Unwritten or Guarded)
            {
                setup.Ways.Add((name.Replace("guarded", "denied by a rule", StringComparison.Ordinal), client, Forbidden, true));
            }
        }

        if (kind == "stdio")
        {
            // The guard gives a server a session of its own, so that it cannot reach the terminal; where autogroups are on (sched(7)) the kernel shares the
            // processors between sessions.
            await setup.AddAsync(
                "plain, server in a session of its own",
                await McpClient.CreateAsync(new StdioClientTransport(new() { Command = "setsid", Arguments = [Dotnet, Library, "serve-stdio"] })));
            IMcpGuard guard = setup.Guard("memory", url, AuditChoice.None);
            await setup.AddAsync("guarded, records dropped, server started by the SDK", await McpClient.CreateAsync(guard.Protect("measured", setup.Transport(kind, url))));
        }

        return setup;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static string Dotnet { get; } = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));

    private static string Library => Path.Combine(AppContext.BaseDirectory, "Mcp.Guard.Benchmarks.dll");

    /// <summary>What the check of a path asks the system, made where the guard makes it: section 9 leaves it out of the guard's time.</summary>
    private void LookAtPath()
    {
        LinkReader.ForThisSystem.IsFreeOfLinks(FilePath);
        FileIdentity.TryRead(FilePath, out _, out _);
    }

    private ValueTask AddAsync(string name, McpClient client)
    {
        _parts.Add(client);
        Ways.Add((name, client, EditServer.Tool, false));
        return default;
    }

    private IClientTransport Transport(string kind, string url)
    {
        switch (kind)
        {
            case "memory":
                var pair = new InMemoryTransportPair();
                _parts.Add(EditServer.Start(pair.ServerInput, pair.ServerOutput));
                return pair.ClientTransport;
            case "stdio":
                return new StdioClientTransport(new() { Command = Dotnet, Arguments = [Library, "serve-stdio"] });
            default:
                return new HttpClientTransport(new() { Endpoint = new Uri(url), TransportMode = HttpTransportMode.StreamableHttp });
        }
    }

    private IMcpGuard Guard(string kind, string url, AuditChoice audit)
    {
        var services = new ServiceCollection();
        McpGuardBuilder builder = services.AddMcpGuard(policy =>
        {
            policy.StateDirectory(Path.Combine(_folder, "state-" + audit)).AuditDirectory(Path.Combine(_folder, "audit-" + audit)).RateLimit(1_000_000, TimeSpan.FromSeconds(1));
            policy.Default("budgets", """{"repeats":{"permits":1000000,"per":"1s"}}""");
            policy.Server("measured", server =>
            {
                (kind switch
                {
                    "memory" => server.HostProvided(),
                    "stdio" => server.Command(Dotnet, Library, "serve-stdio").WithoutIsolation(),
                    _ => server.Url(url),
                }).Root(Path.Combine(_folder, "project")).Ask("edits", EditServer.Tool).Allow("readers", "read_*", "list_*").Deny("drops", "drop_*");
                for (int i = 3; i < 10; i++)
                {
                    server.Deny($"other-{i}", $"unused_{i}");
                }
            });
        }).UseConsent((request, _) => new ValueTask<ConsentAnswer>(ConsentAnswer.AllowTool(request)));
        if (audit == AuditChoice.None)
        {
            builder.UseAudit(new NoAudit());
        }

        if (audit == AuditChoice.Queue)
        {
            var sink = new AuditFileSink(
                new AuditFileOptions { Directory = Path.Combine(_folder, "unwritten"), Durability = AuditDurability.BestEffort, QueueCapacity = 1_000_000, WriteTimeout = TimeSpan.FromMinutes(1) },
                new NullAuditStorage(),
                TimeProvider.System);
            sink.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
            _parts.Add(sink);
            builder.UseAudit(sink);
        }

        ServiceProvider provider = services.BuildServiceProvider();
        _parts.Add(provider);
        return provider.GetRequiredService<IMcpGuard>();
    }

    private async Task<string> ServeHttpAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddMcpServer(options => options.ServerInfo = EditServer.Options.ServerInfo)
            .WithHttpTransport()
            .WithListToolsHandler(EditServer.Handlers.ListToolsHandler!)
            .WithCallToolHandler(EditServer.Handlers.CallToolHandler!);
        WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapMcp("/mcp");
        await app.StartAsync();
        _parts.Add(app);
        return app.Urls.First() + "/mcp";
    }
}
