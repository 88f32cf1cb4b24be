using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mcp.Guard.Hosting;

/// <summary>The policy as a health check: degraded while the changed file is refused and the last good policy stays in force.</summary>
internal sealed class PolicyHealthCheck(McpGuardHost host) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["revision"] = host.PolicyRevision,
            ["warnings"] = host.Runtime.Policy.Current.Warnings.Count,
        };
        return Task.FromResult(host.PolicyError is { } error
            ? HealthCheckResult.Degraded("the changed policy is refused; the last good one is in force", error, data)
            : HealthCheckResult.Healthy("the policy is in force", data));
    }
}
