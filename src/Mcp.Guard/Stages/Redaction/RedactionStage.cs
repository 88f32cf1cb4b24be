using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>Removes credentials from what is delivered, where the policy says so (<c>results.redact</c>).</summary>
internal sealed class RedactionStage(ContentRedaction redaction) : IGuardStage<ResultContext>
{
    public string Name => GuardStages.Redaction;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        ContentPlace place = context.IsError ? ContentPlace.Elsewhere : ContentPlace.Result;
        if (!context.Controls.Settings.Redact)
        {
            return new(GuardDecision.Continue);
        }

        JsonElement redacted = redaction.Apply(context.Current, place);
        return new(string.Equals(redacted.GetRawText(), context.Current.GetRawText(), StringComparison.Ordinal)
            ? GuardDecision.Continue
            : GuardDecision.Replace(redacted, "redacted", "credentials were removed"));
    }
}
