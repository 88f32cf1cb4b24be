namespace Mcp.Guard.Stages.Consent;

/// <summary>What came of one prompt: an answer that may be given effect, or why there is none. An uninitialised value denies.</summary>
/// <param name="Kind">The answer; <see cref="ConsentAnswerKind.Deny"/> for everything but a valid yes or never.</param>
/// <param name="Code">The denial code of a deny.</param>
/// <param name="Decision">The word for the audit.</param>
/// <param name="Reason">Details for the audit; nothing of an exception's message.</param>
/// <param name="Answer">The valid answer; null where there is none.</param>
internal readonly record struct ConsentOutcome(ConsentAnswerKind Kind, string? Code, string? Decision, string? Reason, ConsentAnswer? Answer)
{
    /// <summary>The call for which the answer is on record already; null where it is for none.</summary>
    public IConsentSubject? RecordedFor { get; init; }

    /// <summary>Under what such calls are known since the person agreed to a change; null where nothing changed.</summary>
    public string? AgreedFingerprint { get; init; }

    public static ConsentOutcome Timeout { get; } =
        new(ConsentAnswerKind.Deny, GuardDenialCodes.ConsentTimeout, "timeout", "no answer in time", null);

    public static ConsentOutcome Unavailable(string reason) =>
        new(ConsentAnswerKind.Deny, GuardDenialCodes.ConsentUnavailable, "unavailable", reason, null);

    public static ConsentOutcome Denied(string reason, ConsentAnswer? answer = null) =>
        new(ConsentAnswerKind.Deny, GuardDenialCodes.ConsentDenied, "deny", reason, answer);

    /// <summary>Judges what a provider returned. Everything but an offered, well-formed answer to this very request denies.</summary>
    public static ConsentOutcome Of(ConsentRequest request, ConsentAnswer? answer)
    {
        if (answer is null)
        {
            return Denied("the provider returned no answer");
        }

        if (!string.Equals(answer.RequestId, request.RequestId, StringComparison.Ordinal))
        {
            return Denied("the answer belongs to another request");
        }

        (ConsentScopes needed, string decision) = answer.Kind switch
        {
            ConsentAnswerKind.AllowOnce => (ConsentScopes.Once, "allow-once"),
            ConsentAnswerKind.AllowTheseArguments => (ConsentScopes.TheseArguments, "allow-these-arguments"),
            ConsentAnswerKind.AllowTool => (ConsentScopes.Tool, "allow-tool"),
            ConsentAnswerKind.Never => (ConsentScopes.Never, "never"),
            _ => (ConsentScopes.None, "deny"),
        };
        if (needed == ConsentScopes.None)
        {
            return Denied(answer.Kind == ConsentAnswerKind.Deny ? "a person said no" : "the answer has an unknown kind", answer);
        }

        if ((request.Offered & needed) == 0)
        {
            // A "never" that may not be kept is still a no.
            return Denied("the answer was not offered", answer);
        }

        if (answer.Lifetime is { } lifetime && (lifetime <= TimeSpan.Zero || lifetime > ConsentOptions.MaxLifetime))
        {
            return Denied("the answer has a lifetime that is not between zero and 30 days", answer);
        }

        return new(answer.Kind, null, decision, null, answer);
    }
}
