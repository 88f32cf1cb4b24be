namespace Mcp.Guard;

/// <summary>The state of the rate limits. In memory by default; a shared store lets several hosts count together.</summary>
public interface IRateLimitStore
{
    /// <summary>Charges all limits, or none where one of them refuses. A store that cannot answer throws, which denies.</summary>
    /// <param name="charges">The limits: at least one, at most 16.</param>
    /// <param name="ct">Cancels the wait.</param>
    ValueTask<RateLimitLease> AcquireAsync(ReadOnlyMemory<RateLimitCharge> charges, CancellationToken ct);
}
