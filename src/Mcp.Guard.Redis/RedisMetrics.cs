using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Mcp.Guard.Redis;

/// <summary>Measurements of the shared state, as the meter <c>Mcp.Guard.Redis</c>.</summary>
internal static class RedisMetrics
{
    public const string Name = "Mcp.Guard.Redis";

    private static readonly Meter Meter = new(Name);

    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "mcp_guard.redis.operation.duration", "s", "Time of one operation, with its kind and outcome (ok, timeout, circuit_open, failed)");

    private static readonly Counter<long> Local = Meter.CreateCounter<long>(
        "mcp_guard.redis.local_decisions", "{decision}", "Rate limit decisions without the server: by a known denial (denied) or by the local share (share)");

    public static void Record(string operation, string outcome, TimeSpan elapsed)
    {
        if (Duration.Enabled)
        {
            Duration.Record(elapsed.TotalSeconds, new TagList { { "operation", operation }, { "outcome", outcome } });
        }
    }

    public static void RecordLocal(string why) => Local.Add(1, new KeyValuePair<string, object?>("reason", why));
}
