using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Benchmarks.Consent;

/// <summary>Records nothing.</summary>
internal sealed class NothingRecorded : IConsentRecorder
{
    public ValueTask WriteAsync(IConsentSubject subject, string decision, string? reason, string? answeredBy, CancellationToken ct) => ValueTask.CompletedTask;
}
