namespace Mcp.Guard.Stages.Consent;

/// <summary>Writes the consent events of calls into the audit. It throws where it cannot: an agreement that is not on record is none.</summary>
internal interface IConsentRecorder
{
    /// <param name="subject">The call.</param>
    /// <param name="decision"><c>asked</c>, <c>allow-once</c>, <c>allow-these-arguments</c>, <c>allow-tool</c>, <c>never</c>, <c>deny</c>, <c>timeout</c> or <c>unavailable</c>.</param>
    /// <param name="reason">Details, for people.</param>
    /// <param name="answeredBy">Who answered, as the provider knows the person; bounded.</param>
    /// <param name="ct">Cancels the wait.</param>
    ValueTask WriteAsync(IConsentSubject subject, string decision, string? reason, string? answeredBy, CancellationToken ct);
}
