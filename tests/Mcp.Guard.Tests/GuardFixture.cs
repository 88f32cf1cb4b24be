using Mcp.Guard.Hosting;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;

namespace Mcp.Guard.Tests;

/// <summary>A guard for tests: a policy in code, the audit in memory, consent by script.</summary>
internal sealed class GuardFixture : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly string _state = Directory.CreateTempSubdirectory("mcp-guard-tests-").FullName;

    public GuardFixture(Action<GuardServerBuilder> server, Action<McpGuardBuilder>? configure = null, Action<GuardPolicyBuilder>? policy = null)
    {
        var services = new ServiceCollection();
        McpGuardBuilder builder = services.AddMcpGuard(document =>
        {
            document.StateDirectory(Path.Combine(_state, "guard"));
            document.Server("test", settings =>
            {
                settings.HostProvided();
                server(settings);
            });
            policy?.Invoke(document);
        });
        builder.UseAudit(Audit).UseConsent(Consent);
        configure?.Invoke(builder);
        _services = services.BuildServiceProvider();
        Guard = _services.GetRequiredService<IMcpGuard>();
    }

    public AuditCollector Audit { get; } = new();

    public ScriptedConsentProvider Consent { get; } = new();

    public IMcpGuard Guard { get; }

    public McpGuardHost Host => (McpGuardHost)Guard;

    /// <summary>A folder beside the guard's own, for roots.</summary>
    public string Root => Directory.CreateDirectory(Path.Combine(_state, "root")).FullName;

    /// <summary>A policy that lets every tool through: a rate that no test reaches, every tool allowed by exact name.</summary>
    public static Action<GuardServerBuilder> AllowAll(params string[] tools) => server =>
    {
        server.Allow("all", rule => rule.Tools(tools.Length == 0 ? ["*"] : tools).RateLimit(1_000_000, TimeSpan.FromSeconds(1)));
        server.With("maxConcurrentCalls", "4096").With("maxConcurrentCallsPerCaller", "4096");
    };

    public IClientTransport Protect(IClientTransport inner) => Guard.Protect("test", inner);

    public async Task<McpClient> ConnectAsync(IClientTransport inner, McpClientOptions? options = null) =>
        await McpClient.CreateAsync(Protect(inner), options);

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Directory.Delete(_state, recursive: true);
    }
}
