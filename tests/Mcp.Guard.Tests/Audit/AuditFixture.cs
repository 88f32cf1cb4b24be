using Mcp.Guard.Hosting;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;

namespace Mcp.Guard.Tests.Audit;

/// <summary>A guard that keeps its audit in files, as hosts do.</summary>
internal sealed class AuditFixture : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly string _state = Directory.CreateTempSubdirectory("mcp-guard-audit-").FullName;
    private bool _isClosed;

    public AuditFixture(Action<GuardServerBuilder>? server = null, Action<McpGuardBuilder>? configure = null, Action<GuardPolicyBuilder>? policy = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        McpGuardBuilder builder = services.AddMcpGuard(document =>
        {
            document.StateDirectory(Path.Combine(_state, "guard"));
            document.Server("test", settings =>
            {
                settings.HostProvided();
                (server ?? GuardFixture.AllowAll())(settings);
            });
            policy?.Invoke(document);
        });
        builder.UseConsent(new ScriptedConsentProvider());
        configure?.Invoke(builder);
        services.AddHealthChecks().AddMcpGuard();
        _services = services.BuildServiceProvider();
    }

    public IServiceProvider Services => _services;

    public McpGuardHost Host => (McpGuardHost)_services.GetRequiredService<IMcpGuard>();

    /// <summary>The folder of the log.</summary>
    public string Log => Path.Combine(_state, "guard", "audit");

    /// <summary>The checkpoint that the guard keeps by itself.</summary>
    public string Checkpoint => Directory.GetFiles(Path.Combine(_state, "guard"), "audit-*.checkpoint").Single();

    public async Task<McpClient> ConnectAsync(IClientTransport server) => await McpClient.CreateAsync(Host.Protect("test", server));

    /// <summary>Ends the guard; the files stay until the fixture is disposed.</summary>
    public async Task CloseAsync()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            await _services.DisposeAsync();
        }
    }

    /// <summary>Every record of the log.</summary>
    public async Task<List<AuditEntry>> ReadAsync()
    {
        var entries = new List<AuditEntry>();
        await foreach (AuditEntry entry in AuditFiles.Open(Log).ReadAsync(new AuditQuery(), CancellationToken.None))
        {
            entries.Add(entry);
        }

        return entries;
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(_state, recursive: true);
    }
}
