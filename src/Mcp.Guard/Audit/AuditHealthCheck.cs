using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mcp.Guard.Audit;

/// <summary>The audit files as a health check: unhealthy while calls are denied for want of the log, degraded where something wants a look.</summary>
internal sealed class AuditHealthCheck(AuditFileSink sink) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        AuditFileHealth health = sink.Health;
        var data = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["written"] = health.Written,
            ["refused"] = health.Refused,
            ["dropped"] = health.Dropped,
            ["checkpointFailures"] = health.CheckpointFailures,
            ["openAtStart"] = health.OpenAtStart,
        };
        HealthCheckResult result = health.State switch
        {
            AuditFileState.Healthy => HealthCheckResult.Healthy(health.Message, data),
            AuditFileState.Degraded => HealthCheckResult.Degraded(health.Message, data: data),
            _ => new HealthCheckResult(context.Registration?.FailureStatus ?? HealthStatus.Unhealthy, health.Message, data: data),
        };
        return Task.FromResult(result);
    }
}
