using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Tests;

/// <summary>What a request is judged by that goes on after a server asked back.</summary>
internal static class Continued
{
    /// <summary>The continuation of a request that was judged before.</summary>
    public static Continuation After(RequestContext first) => new()
    {
        Caller = first.Caller,
        Method = first.Method,
        Target = first.TargetName,
        ArgumentsDigest = first.ArgumentsDigest,
        Fingerprint = first.Entry?.Definition.Fingerprint,
        RequestState = null,
        Admitted = new Dictionary<string, string>(),
        Questions = new Dictionary<string, ServerRequestContext>(),
        Round = 0,
        ConsentNote = null,
        RootDecisionId = first.DecisionId,
        Chain = null,
        ExpiresAt = DateTimeOffset.MaxValue,
    };
}
