using Mcp.Guard.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mcp.Guard.Audit;

/// <summary>The audit as a health check: unhealthy while calls are denied for want of a record, degraded where something wants a look.</summary>
/// <param name="audit">The sinks.</param>
/// <param name="isStarted">True once the guard's start is on record.</param>
internal sealed class AuditHealthCheck(AuditSinks audit, Func<bool> isStarted) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object>(StringComparer.Ordinal) { ["lostFloodCounts"] = audit.Gate.Lost };
        AuditFileState state = AuditFileState.Healthy;
        string message = "records are taken";
        if (!isStarted())
        {
            (state, message) = (AuditFileState.Unavailable, "the guard has not started");
        }

        if (audit.Files is { } files)
        {
            AuditFileHealth health = files.Health;
            data["written"] = health.Written;
            data["refused"] = health.Refused;
            data["dropped"] = health.Dropped;
            data["checkpointFailures"] = health.CheckpointFailures;
            data["openAtStart"] = health.OpenAtStart;
            Worsen(health.State, health.Message, ref state, ref message);
        }

        if (audit.FanOut.Failure is { } failure)
        {
            Worsen(AuditFileState.Unavailable, failure, ref state, ref message);
        }

        foreach ((string name, long lost) in audit.FanOut.Losses)
        {
            data["lost." + name] = lost;
            if (lost > 0)
            {
                Worsen(AuditFileState.Degraded, $"the optional sink '{name}' did not take some records", ref state, ref message);
            }
        }

        if (audit.Gate.Lost > 0)
        {
            Worsen(AuditFileState.Degraded, "counts of repeated records could not be written", ref state, ref message);
        }

        return Task.FromResult(state switch
        {
            AuditFileState.Healthy => HealthCheckResult.Healthy(message, data),
            AuditFileState.Degraded => HealthCheckResult.Degraded(message, data: data),
            _ => new HealthCheckResult(context.Registration?.FailureStatus ?? HealthStatus.Unhealthy, message, data: data),
        });
    }

    private static void Worsen(AuditFileState found, string why, ref AuditFileState state, ref string message)
    {
        if (Severity(found) > Severity(state))
        {
            (state, message) = (found, why);
        }
    }

    private static int Severity(AuditFileState state) => state switch
    {
        AuditFileState.Healthy => 0,
        AuditFileState.Degraded => 1,
        _ => 2,
    };
}
