namespace Mcp.Guard;

/// <summary>
/// Whom or what a limit counts: a combination of server, tool, user and session. Parts that do not count are null. The parts are compared one by one
/// and never joined, so that no choice of names makes two keys equal.
/// </summary>
/// <param name="LimitId">The id of the limit, so that two limits over the same parts do not share a count.</param>
/// <param name="Server">The server's id, or null.</param>
/// <param name="Tool">The tool's exact name, or null.</param>
/// <param name="UserId">The user, or null.</param>
/// <param name="SessionId">The session, or null.</param>
public readonly record struct RateLimitKey(string LimitId, string? Server, string? Tool, string? UserId, string? SessionId);
