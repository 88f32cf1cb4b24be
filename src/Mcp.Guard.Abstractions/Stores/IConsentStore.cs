namespace Mcp.Guard;

/// <summary>
/// Remembered consents. In memory by default; a file or a shared store can take its place. A store that fails throws: the guard then asks again or denies,
/// and never takes a failure for a grant.
/// </summary>
public interface IConsentStore
{
    /// <summary>
    /// Finds the grant that covers the call. A refusal wins over any grant. A single-use grant is removed in the same atomic step:
    /// of any number of parallel callers exactly one receives it.
    /// </summary>
    /// <param name="binding">The call.</param>
    /// <param name="now">The moment of the call.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>The grant or refusal, or null where nothing covers the call.</returns>
    ValueTask<ConsentGrant?> TakeAsync(ConsentBinding binding, DateTimeOffset now, CancellationToken ct);

    /// <summary>Remembers a grant. A store is bounded: when full it throws <see cref="InvalidOperationException"/> and drops no refusal.</summary>
    /// <param name="grant">The grant.</param>
    /// <param name="ct">Cancels the wait.</param>
    ValueTask AddAsync(ConsentGrant grant, CancellationToken ct);

    /// <summary>Forgets a grant.</summary>
    /// <param name="grantId">Its id.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>Whether it was there.</returns>
    ValueTask<bool> RevokeAsync(string grantId, CancellationToken ct);

    /// <summary>The grants and refusals of one user that have not expired.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="now">The moment.</param>
    /// <param name="ct">Cancels the wait.</param>
    ValueTask<IReadOnlyList<ConsentGrant>> ListAsync(string userId, DateTimeOffset now, CancellationToken ct);
}
