using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>Removes credentials from what is delivered, where the policy says so (<c>results.redact</c>).</summary>
internal sealed class RedactionStage : IGuardStage<ResultContext>
{
    public string Name => GuardStages.Redaction;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        ContentPlace place = context.IsError ? ContentPlace.Elsewhere : ContentPlace.Result;
        return new(ContentControls.Of(context).Settings.Redact && JsonRedactor.Default.Redact(context.Current, place) is { } redacted
            ? GuardDecision.Replace(JsonDocument.Parse(redacted).RootElement, "redacted", "credentials were removed")
            : GuardDecision.Continue);
    }
}
