using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// The last request stage: asks a person where a stage asked, where a rule says so, and where the call counts as destructive and no rule allows it.
/// </summary>
internal sealed class ConsentStage(ConsentDesk desk) : IGuardStage<RequestContext>
{
    public string Name => GuardStages.Consent;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (context.Kind == RequestKind.ToolCall
            && context.Verdict.Effect == RuleEffect.None
            && (context.IsDestructive || context.Settings!.Limits.Confirmation == ConfirmationMode.Always))
        {
            (context.AskReasons ??= []).Add(new GuardAskReason(
                Name,
                context.IsDestructive ? "destructive" : "confirm-always",
                context.IsDestructive ? "the tool counts as destructive and no rule allows it" : "the policy confirms every call"));
        }

        return context.AskReasons is { Count: > 0 } ? desk.DecideAsync(context, ct) : new(GuardDecision.Continue);
    }
}
