using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mcp.Guard.Hosting;

/// <summary>The connected servers as a health check: degraded a while after one was ended because it flooded or passed a limit of its isolation, and while a stop is in force.</summary>
internal sealed class ServersHealthCheck(McpGuardHost host) : IHealthCheck
{
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (IGrouping<string, GuardedTransport> server in host.Runtime.Connections.All.GroupBy(static transport => transport.State.Server.Id, StringComparer.Ordinal))
        {
            data[$"{server.Key}.connections"] = server.Count();
            data[$"{server.Key}.openCalls"] = server.Sum(static transport => transport.OpenCalls);
            data[$"{server.Key}.refusedMessages"] = server.Sum(static transport => transport.Refused.Total);
        }

        string? problem = null;
        foreach ((string server, long count, DateTimeOffset last) in host.Runtime.Floods.All)
        {
            data[$"{server}.floods"] = count;
            if (host.Runtime.Time.GetUtcNow() - last < Remembered)
            {
                problem = $"the server '{server}' was disconnected because it sent too many messages";
            }
        }

        foreach ((string server, long count, DateTimeOffset last) in host.Runtime.OverLimit.All)
        {
            data[$"{server}.overLimit"] = count;
            if (host.Runtime.Time.GetUtcNow() - last < Remembered)
            {
                problem ??= $"the server '{server}' was ended because it passed a limit of its isolation";
            }
        }

        int halts = host.Runtime.Halts.InForce.Count;
        data["halts"] = halts;
        problem ??= halts > 0 ? "a stop is in force" : null;
        return Task.FromResult(problem is null ? HealthCheckResult.Healthy("nothing is stopped", data) : HealthCheckResult.Degraded(problem, data: data));
    }
}
