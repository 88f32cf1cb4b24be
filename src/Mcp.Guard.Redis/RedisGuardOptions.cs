using StackExchange.Redis;

namespace Mcp.Guard;

/// <summary>How the guard keeps its state in Redis (6.2 or newer, or a server that speaks the same protocol and scripts), and what it does without it.</summary>
public sealed class RedisGuardOptions
{
    /// <summary>Where the server is, with credentials and TLS. The guard connects in the background and goes on trying; it never waits for a connection.</summary>
    public required ConfigurationOptions Configuration { get; init; }

    /// <summary>What all keys of this deployment start with: 1 to 64 letters, digits, <c>-</c>, <c>_</c>, <c>.</c> or <c>:</c>; default <c>mcp-guard</c>. Hosts share state exactly where they share this.</summary>
    public string KeyPrefix { get; set; } = "mcp-guard";

    /// <summary>Which state is shared; the rest stays where the guard keeps it otherwise. Default all.</summary>
    public RedisGuardStores Stores { get; set; } = RedisGuardStores.All;

    /// <summary>How long one operation may take before it counts as failed: 1 ms to 10 s, default 50 ms.</summary>
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>What rate limits do while the server cannot be asked. Default: deny. Consents, pins, budgets and stops never fall open, whatever is said here.</summary>
    public RedisRateLimitFallback RateLimitFallback { get; set; }

    /// <summary>
    /// The share of each limit that one host admits under <see cref="RedisRateLimitFallback.Local"/>: more than 0, at most 1. With N hosts say 1/N or less,
    /// so that all together stay within the limit; a burst is at least one call.
    /// </summary>
    public double LocalShare { get; set; } = 0.1;

    /// <summary>How often the stops are read again beside the messages that tell of changes: 100 ms to 1 minute, default 5 s.</summary>
    public TimeSpan HaltRefresh { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the stops that were read last are relied on while the server cannot be asked; after it everything is stopped until a read succeeds. From <see cref="HaltRefresh"/> to 1 hour, default 30 s.</summary>
    public TimeSpan HaltStaleness { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Most grants and refusals of one user: 1 to 100,000, default 1,000. A further one is refused; refusals are never dropped for room.</summary>
    public int MaxGrantsPerUser { get; set; } = 1_000;

    /// <summary>
    /// True once the deployment has been in use: a server without its data is then a loss, not a first start. Rate limits start spent, and servers that are
    /// not pinned are not trusted at first sight. Hosts that run while the server loses its data notice that by themselves. Default false.
    /// </summary>
    public bool ExpectData { get; set; }

    /// <exception cref="ArgumentException">An option is out of range.</exception>
    internal void Validate()
    {
        if (Configuration is null || Configuration.EndPoints.Count == 0)
        {
            throw new ArgumentException($"{nameof(RedisGuardOptions)}.{nameof(Configuration)} names no server. Give a connection string such as \"redis.internal:6379,ssl=true\".");
        }

        if (KeyPrefix is not { Length: >= 1 and <= 64 } || !KeyPrefix.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':'))
        {
            throw new ArgumentException($"{nameof(RedisGuardOptions)}.{nameof(KeyPrefix)} must be 1 to 64 ASCII letters, digits, '-', '_', '.' or ':'.");
        }

        Require(OperationTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10), nameof(OperationTimeout));
        Require(HaltRefresh, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1), nameof(HaltRefresh));
        Require(HaltStaleness, HaltRefresh, TimeSpan.FromHours(1), nameof(HaltStaleness));
        if (!(LocalShare > 0 && LocalShare <= 1))
        {
            throw new ArgumentException($"{nameof(RedisGuardOptions)}.{nameof(LocalShare)} must be more than 0 and at most 1.");
        }

        if (MaxGrantsPerUser is < 1 or > 100_000)
        {
            throw new ArgumentException($"{nameof(RedisGuardOptions)}.{nameof(MaxGrantsPerUser)} must be 1 to 100,000.");
        }

        if (!Enum.IsDefined(RateLimitFallback) || Stores == RedisGuardStores.None || (Stores & ~RedisGuardStores.All) != 0)
        {
            throw new ArgumentException($"{nameof(RedisGuardOptions)}.{nameof(RateLimitFallback)} or {nameof(Stores)} has no such value.");
        }
    }

    private static void Require(TimeSpan value, TimeSpan least, TimeSpan most, string name)
    {
        if (value < least || value > most)
        {
            throw new ArgumentException($"{nameof(RedisGuardOptions)}.{name} must be {least} to {most}, not {value}.");
        }
    }
}
