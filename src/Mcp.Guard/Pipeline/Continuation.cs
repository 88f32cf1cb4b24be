using Mcp.Guard.Stages.Budgets;

namespace Mcp.Guard.Pipeline;

/// <summary>
/// What the guard saw in an <c>input_required</c> result and lets the next request answer, once: the same caller, method, name, canonical arguments
/// and <c>requestState</c>, and only the input requests that were admitted.
/// </summary>
internal sealed class Continuation
{
    public required GuardCaller Caller { get; init; }

    public required string Method { get; init; }

    public required string? Target { get; init; }

    public required string ArgumentsDigest { get; init; }

    /// <summary>The fingerprint of the definition that the first request was judged by; null for other methods than <c>tools/call</c>.</summary>
    public required string? Fingerprint { get; init; }

    public required string? RequestState { get; init; }

    /// <summary>The admitted input requests: key and method.</summary>
    public required IReadOnlyDictionary<string, string> Admitted { get; init; }

    /// <summary>Those of the admitted input requests that the host answers, as they went to it, by key.</summary>
    public required IReadOnlyDictionary<string, ServerRequestContext> Questions { get; init; }

    /// <summary>How often the call was continued before.</summary>
    public required int Round { get; init; }

    /// <summary>How consent was given to the first request.</summary>
    public required string? ConsentNote { get; init; }

    /// <summary>The decision that the first request was recorded under.</summary>
    public required string RootDecisionId { get; init; }

    /// <summary>The chain of the first request.</summary>
    public required CallChain? Chain { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }
}
