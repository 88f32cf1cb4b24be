namespace Mcp.Guard;

/// <summary>Whether a call was admitted. An uninitialised value (<c>default</c>) is not admitted.</summary>
/// <param name="IsAdmitted">True where every limit admitted, and every one was charged; otherwise none was.</param>
/// <param name="RetryAfter">After a refusal: the time after which the same call is admitted, if nothing else is charged meanwhile; null where waiting does not help.</param>
/// <param name="LimitId">After a refusal: the id of the limit that refused.</param>
public readonly record struct RateLimitLease(bool IsAdmitted, TimeSpan? RetryAfter, string? LimitId);
