using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Consent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Cli.Servers;

/// <summary>A guard that leaves no trace: it asks nobody, records nothing, and keeps pins and grants in memory.</summary>
internal static class LookingGuard
{
    /// <param name="policy">The policy.</param>
    /// <param name="pins">Pins; null for none.</param>
    /// <param name="secrets">Values of secrets by name, besides those of the environment.</param>
    /// <param name="logs">Takes the guard's log; null for none.</param>
    public static ServiceProvider Create(PolicySnapshot policy, IPinStore? pins = null, IReadOnlyDictionary<string, string>? secrets = null, ILoggerProvider? logs = null)
    {
        var services = new ServiceCollection();
        if (logs is not null)
        {
            services.AddLogging(logging => logging.AddProvider(logs));
        }

        McpGuardBuilder builder = services.AddMcpGuard(policy)
            .UseAudit(new NoAudit())
            .DenyInsteadOfAsking()
            .UsePinStore(_ => pins ?? new OverlayPinStore(null))
            .UseConsentStore(_ => new InMemoryConsentStore(TimeProvider.System));
        if (secrets is { Count: > 0 })
        {
            builder.AddSecretResolver(_ => new KnownSecrets(secrets));
        }

        return services.BuildServiceProvider();
    }

    private sealed class NoAudit : IAuditSink
    {
        public ValueTask WriteAsync(AuditRecord record, CancellationToken ct) => default;
    }

    private sealed class KnownSecrets(IReadOnlyDictionary<string, string> values) : ISecretResolver
    {
        public ValueTask<string?> ResolveAsync(string name, CancellationToken ct) => new(values.GetValueOrDefault(name));
    }
}
