namespace Mcp.Guard;

/// <summary>
/// What servers changed behind their pins, for a person who decides: an administrator's page, a command, a dialog of the host. Until somebody approves,
/// a changed tool is hidden from the model and its calls are denied with <see cref="GuardDenialCodes.ToolChanged"/>, a new one asks at each call, and
/// changed instructions are not shown to the model. An approval holds for all users of the host and is on record before it takes effect.
/// </summary>
public interface IToolReviews
{
    /// <summary>What waits for a decision, as the connected servers listed it last; ordered by server and tool.</summary>
    /// <param name="serverId">One server, or null for all.</param>
    IReadOnlyList<ToolReview> List(string? serverId = null);

    /// <summary>Pins exactly the definition that the review shows. The server's tools are listed again before the next call.</summary>
    /// <param name="reviewId"><see cref="ToolReview.Id"/>.</param>
    /// <param name="reviewedBy">Who decided, for the audit.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>
    /// False where nothing was pinned: no such review waits (the tool changed again, or somebody decided), the policy carries the pins, or other hosts kept
    /// writing them.
    /// </returns>
    /// <exception cref="McpGuardException">The approval could not be recorded.</exception>
    ValueTask<bool> ApproveAsync(string reviewId, string reviewedBy, CancellationToken ct = default);

    /// <summary>Says no for good: a changed tool stays hidden and denied, and a new one is from now on too. Another change is a new review.</summary>
    /// <param name="reviewId"><see cref="ToolReview.Id"/>.</param>
    /// <param name="reviewedBy">Who decided, for the audit.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>False where no such review waits, or the refusal of a new tool could not be kept.</returns>
    ValueTask<bool> RefuseAsync(string reviewId, string reviewedBy, CancellationToken ct = default);
}
