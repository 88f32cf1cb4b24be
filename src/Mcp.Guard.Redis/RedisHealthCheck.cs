using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Mcp.Guard.Redis;

/// <summary>Whether the shared state can be asked, and whether the server keeps it.</summary>
internal sealed class RedisHealthCheck(RedisLink link) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            TimeSpan latency = await link.ExecuteAsync("ping", static database => database.PingAsync(), cancellationToken);
            string? policy = await EvictionPolicyAsync(cancellationToken);
            if (policy is not (null or "noeviction"))
            {
                RedisLog.MayEvict(link.Logger, policy);
                return HealthCheckResult.Degraded($"maxmemory-policy is {policy}: keys of the guard may be dropped; set noeviction");
            }

            return link.Losses > 0
                ? HealthCheckResult.Degraded("the server has lost the guard's data since this host started")
                : HealthCheckResult.Healthy($"answers in {latency.TotalMilliseconds:0.0} ms");
        }
        catch (RedisUnavailableException unavailable)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, unavailable.Message);
        }
    }

    // Managed servers often do not tell; then the document is all there is.
    private async ValueTask<string?> EvictionPolicyAsync(CancellationToken ct)
    {
        try
        {
            var answer = (RedisResult[]?)await link.ExecuteAsync("config", static database => database.ExecuteAsync("CONFIG", "GET", "maxmemory-policy"), ct);
            return answer is { Length: 2 } ? (string?)answer[1] : null;
        }
        catch (RedisUnavailableException unavailable) when (unavailable.InnerException is RedisServerException)
        {
            return null;
        }
    }
}
