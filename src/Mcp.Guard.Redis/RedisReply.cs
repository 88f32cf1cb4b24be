using StackExchange.Redis;

namespace Mcp.Guard.Redis;

/// <summary>What a script answered on one shard.</summary>
/// <param name="Parts">The answer, whose first two parts are the epoch and whether data was lost.</param>
/// <param name="IsLost">Whether the shard was emptied since the deployment began.</param>
internal readonly record struct RedisReply(RedisResult[] Parts, bool IsLost);
