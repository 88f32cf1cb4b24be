namespace Mcp.Guard.Stages.RateLimit;

/// <summary>The default <see cref="IRateLimitStore"/>: counts in this process, in bounded memory, and completes at once.</summary>
internal sealed class InMemoryRateLimitStore(TimeProvider time, int maxKeys = GcraLimiter.DefaultMaxKeys) : IRateLimitStore
{
    /// <summary>The engine, for diagnostics.</summary>
    public GcraLimiter Limiter { get; } = new(time, maxKeys);

    /// <inheritdoc/>
    public ValueTask<RateLimitLease> AcquireAsync(ReadOnlyMemory<RateLimitCharge> charges, CancellationToken ct) =>
        ct.IsCancellationRequested ? ValueTask.FromCanceled<RateLimitLease>(ct) : new(Limiter.Acquire(charges.Span));
}
