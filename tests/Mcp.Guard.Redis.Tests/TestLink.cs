using StackExchange.Redis;

namespace Mcp.Guard.Redis.Tests;

/// <summary>Makes links for tests: each call with the same prefix is another host of the same deployment.</summary>
internal static class TestLink
{
    public static string NewPrefix() => "t" + Guid.NewGuid().ToString("N");

    public static RedisLink Open(ConfigurationOptions configuration, string prefix, Action<RedisGuardOptions>? configure = null)
    {
        // The machine may be loaded: a test that is not about slowness does not fail by it.
        var options = new RedisGuardOptions { Configuration = configuration, KeyPrefix = prefix, OperationTimeout = TimeSpan.FromSeconds(5) };
        configure?.Invoke(options);
        options.Validate();
        return new RedisLink(options, TimeProvider.System, null);
    }
}
