using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>Removes credentials from what is delivered, where the policy says so (<c>results.redact</c>).</summary>
internal sealed class RedactionStage : IGuardStage<ResultContext>
{
    public string Name => GuardStages.Redaction;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        ResultSettings settings = context.Call.HasVerdict && context.Call.Verdict.Results is { } own ? own : context.Call.Settings!.Limits.Results;
        return new(settings.Redact && JsonRedactor.Default.Redact(context.Current) is { } redacted
            ? GuardDecision.Replace(JsonDocument.Parse(redacted).RootElement, "redacted", "credentials were removed")
            : GuardDecision.Continue);
    }
}
