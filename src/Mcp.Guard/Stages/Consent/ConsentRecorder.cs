using Mcp.Guard.Audit;

namespace Mcp.Guard.Stages.Consent;

/// <summary>Writes the consent events of pipeline calls into the audit.</summary>
internal sealed class ConsentRecorder(AuditTrail audit) : IConsentRecorder
{
    public ValueTask WriteAsync(IConsentSubject subject, string decision, string? reason, string? answeredBy, CancellationToken ct) =>
        audit.WriteConsentAsync(((ConsentSubject)subject).Call, decision, reason, answeredBy, ct);
}
