namespace Mcp.Guard;

/// <summary>The person's answer to one <see cref="ConsentRequest"/>. An answer is made from the request, so that it cannot be taken for another one's.</summary>
public sealed class ConsentAnswer
{
    private ConsentAnswer(string requestId, ConsentAnswerKind kind, TimeSpan? lifetime)
    {
        RequestId = requestId;
        Kind = kind;
        Lifetime = lifetime;
    }

    /// <summary>The id of the request that this answers.</summary>
    public string RequestId { get; }

    /// <summary>What was chosen.</summary>
    public ConsentAnswerKind Kind { get; }

    /// <summary>How long a lasting answer holds: more than zero and at most 30 days; null is the session, bounded by the policy.</summary>
    public TimeSpan? Lifetime { get; }

    /// <summary>How the person is known to the provider (a login name, for example), for the audit.</summary>
    public string? AnsweredBy { get; init; }

    /// <summary>Whether "once" was given for all identical calls that were merged into the prompt. False admits one of them.</summary>
    public bool ForAllMerged { get; init; }

    /// <summary>"No".</summary>
    /// <param name="request">The request that is answered.</param>
    public static ConsentAnswer Deny(ConsentRequest request) => Make(request, ConsentAnswerKind.Deny, null);

    /// <summary>"Yes, this once".</summary>
    /// <param name="request">The request that is answered.</param>
    public static ConsentAnswer AllowOnce(ConsentRequest request) => Make(request, ConsentAnswerKind.AllowOnce, null);

    /// <summary>"Yes, whenever it has exactly these arguments".</summary>
    /// <param name="request">The request that is answered.</param>
    /// <param name="lifetime">More than zero, at most 30 days; null is the session.</param>
    public static ConsentAnswer AllowTheseArguments(ConsentRequest request, TimeSpan? lifetime = null) => Make(request, ConsentAnswerKind.AllowTheseArguments, lifetime);

    /// <summary>"Yes, this tool".</summary>
    /// <param name="request">The request that is answered.</param>
    /// <param name="lifetime">More than zero, at most 30 days; null is the session.</param>
    public static ConsentAnswer AllowTool(ConsentRequest request, TimeSpan? lifetime = null) => Make(request, ConsentAnswerKind.AllowTool, lifetime);

    /// <summary>"Never this tool".</summary>
    /// <param name="request">The request that is answered.</param>
    public static ConsentAnswer Never(ConsentRequest request) => Make(request, ConsentAnswerKind.Never, null);

    /// <summary>The same answer, with who gave it.</summary>
    /// <param name="person">How the person is known to the provider; null takes the name away.</param>
    public ConsentAnswer By(string? person) => new(RequestId, Kind, Lifetime) { AnsweredBy = person, ForAllMerged = ForAllMerged };

    /// <summary>The same answer, given for all identical calls that the prompt stands for (<see cref="ConsentRequest.MergedCalls"/>).</summary>
    public ConsentAnswer ForMergedCalls() => new(RequestId, Kind, Lifetime) { AnsweredBy = AnsweredBy, ForAllMerged = true };

    private static ConsentAnswer Make(ConsentRequest request, ConsentAnswerKind kind, TimeSpan? lifetime)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new(request.RequestId, kind, lifetime);
    }
}
