using Mcp.Guard.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Mcp.Guard;

/// <summary>Lets several hosts share the guard's state through Redis.</summary>
public static class RedisBuilderExtensions
{
    /// <summary>Keeps rate limits, consents, pins, budgets and stops in Redis, with the recommended options.</summary>
    /// <param name="builder">The guard's builder.</param>
    /// <param name="connectionString">A StackExchange.Redis connection string, such as <c>redis.internal:6379,ssl=true,user=guard,password=...</c>.</param>
    /// <param name="configure">Changes the options; null for the defaults.</param>
    /// <exception cref="ArgumentException">The connection string or an option is unusable.</exception>
    public static McpGuardBuilder UseRedis(this McpGuardBuilder builder, string connectionString, Action<RedisGuardOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        return builder.UseRedis(ConfigurationOptions.Parse(connectionString), configure);
    }

    /// <summary>Keeps rate limits, consents, pins, budgets and stops in Redis.</summary>
    /// <param name="builder">The guard's builder.</param>
    /// <param name="configuration">Where the server is, with credentials and TLS.</param>
    /// <param name="configure">Changes the options; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is unusable.</exception>
    public static McpGuardBuilder UseRedis(this McpGuardBuilder builder, ConfigurationOptions configuration, Action<RedisGuardOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configuration);
        var options = new RedisGuardOptions { Configuration = configuration };
        configure?.Invoke(options);
        options.Validate();
        builder.Services.TryAddSingleton(provider => new RedisLink(
            options, builder.Parts.Time ?? TimeProvider.System, provider.GetService<ILoggerFactory>()?.CreateLogger("Mcp.Guard.Redis")));
        RedisGuardStores stores = options.Stores;
        if (stores.HasFlag(RedisGuardStores.RateLimits))
        {
            builder.UseRateLimitStore(static provider => new RedisRateLimitStore(Link(provider)));
        }

        if (stores.HasFlag(RedisGuardStores.Consents))
        {
            builder.UseConsentStore(static provider => new RedisConsentStore(Link(provider)));
        }

        if (stores.HasFlag(RedisGuardStores.Pins))
        {
            builder.UsePinStore(static provider => new RedisPinStore(Link(provider)));
        }

        if (stores.HasFlag(RedisGuardStores.Budgets))
        {
            builder.UseBudgetStore(static provider => new RedisBudgetStore(Link(provider)));
        }

        if (stores.HasFlag(RedisGuardStores.Halts))
        {
            builder.UseHaltStore(static provider => new RedisHaltStore(Link(provider)));
        }

        return builder;
    }

    /// <summary>Adds a check named <c>mcp-guard-redis</c>: unhealthy while the server cannot be asked, degraded where it may drop keys for room or has lost data.</summary>
    /// <param name="builder">The host's health checks.</param>
    public static IHealthChecksBuilder AddMcpGuardRedis(this IHealthChecksBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new Microsoft.Extensions.Diagnostics.HealthChecks.HealthCheckRegistration(
            "mcp-guard-redis", static provider => new RedisHealthCheck(Link(provider)), failureStatus: null, tags: null));
    }

    private static RedisLink Link(IServiceProvider provider) => provider.GetRequiredService<RedisLink>();
}
