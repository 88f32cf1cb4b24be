using Mcp.Guard.Audit;
using Mcp.Guard.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts the guard into the health checks of a host.</summary>
public static class McpGuardHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds three checks: <c>mcp-guard-audit</c> (unhealthy while calls are denied for want of the log), <c>mcp-guard-policy</c> (degraded while a changed
    /// policy is refused) and <c>mcp-guard-servers</c> (degraded for ten minutes after a server was disconnected for flooding, and while a stop is in force).
    /// </summary>
    /// <param name="builder">The health checks of the host.</param>
    /// <param name="failureStatus">What is reported where a check fails; unhealthy by default.</param>
    /// <param name="tags">Tags of all three.</param>
    public static IHealthChecksBuilder AddMcpGuard(this IHealthChecksBuilder builder, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        string[] all = [.. tags ?? []];
        return builder
            .Add(new HealthCheckRegistration("mcp-guard-audit", static services => AuditOf(services.GetRequiredService<McpGuardHost>()), failureStatus, all))
            .Add(new HealthCheckRegistration("mcp-guard-policy", static services => new PolicyHealthCheck(services.GetRequiredService<McpGuardHost>()), failureStatus, all))
            .Add(new HealthCheckRegistration("mcp-guard-servers", static services => new ServersHealthCheck(services.GetRequiredService<McpGuardHost>()), failureStatus, all));
    }

    private static AuditHealthCheck AuditOf(McpGuardHost host) => new(host.Audit, () => host.IsStarted);
}
