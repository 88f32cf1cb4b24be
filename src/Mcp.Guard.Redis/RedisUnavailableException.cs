namespace Mcp.Guard.Redis;

/// <summary>The shared state could not be asked or changed in time; whoever needed it denies.</summary>
internal sealed class RedisUnavailableException(string message, Exception? inner) : Exception(message, inner);
