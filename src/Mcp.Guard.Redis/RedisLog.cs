using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Redis;

/// <summary>Log messages about the shared state.</summary>
internal static partial class RedisLog
{
    [LoggerMessage(5701, LogLevel.Error, "The Redis server has lost the guard's data (shard {Shard}). Rate limits start spent, pins are not trusted at first sight, stops that this host knows are set again. Give the server persistence and the eviction policy noeviction.")]
    public static partial void DataLost(ILogger logger, int shard);

    [LoggerMessage(5702, LogLevel.Error, "The stops could not be read from Redis for {Age}: everything is stopped until they are.")]
    public static partial void HaltsUnknown(ILogger logger, TimeSpan age);

    [LoggerMessage(5703, LogLevel.Information, "The stops are read from Redis again.")]
    public static partial void HaltsKnown(ILogger logger);

    [LoggerMessage(5704, LogLevel.Warning, "Redis does not answer: operations are given up at once for about {Break}.")]
    public static partial void CircuitOpened(ILogger logger, TimeSpan @break);

    [LoggerMessage(5705, LogLevel.Information, "Redis answers again.")]
    public static partial void CircuitClosed(ILogger logger);

    [LoggerMessage(5706, LogLevel.Warning, "Redis may drop keys for room (maxmemory-policy {Policy}): a dropped key is a limit, consent, pin or stop that is gone. Set maxmemory-policy noeviction.")]
    public static partial void MayEvict(ILogger logger, string policy);

    [LoggerMessage(5707, LogLevel.Error, "A handler of changed stops failed.")]
    public static partial void HandlerFailed(ILogger logger, Exception failure);

    [LoggerMessage(5708, LogLevel.Error, "What Redis holds as {What} is not what the guard writes; it is not used.")]
    public static partial void Damaged(ILogger logger, string what);

    [LoggerMessage(5709, LogLevel.Error, "Reading the stops failed in a way that is not foreseen; it is tried again.")]
    public static partial void FollowFailed(ILogger logger, Exception failure);

    [LoggerMessage(5710, LogLevel.Warning, "Redis cannot be made ready; it is tried again.")]
    public static partial void NotReady(ILogger logger, Exception failure);
}
