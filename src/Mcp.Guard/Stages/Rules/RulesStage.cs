using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Schema;

namespace Mcp.Guard.Stages.Rules;

/// <summary>The policy's rules: deny beats ask beats allow. What no rule judges is left to the defaults (Consent asks for destructive calls).</summary>
internal sealed class RulesStage : IGuardStage<RequestContext>
{
    public string Name => GuardStages.Rules;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        ServerSettings settings = context.Settings!;
        if (context.Kind == RequestKind.Subscription)
        {
            return new(JudgeSubscriptions(context, settings));
        }

        TargetRules? rules = context.Kind switch
        {
            RequestKind.ToolCall => settings.ForTool(context.TargetName!),
            RequestKind.Resource => settings.ForResource(context.TargetName!),
            RequestKind.Prompt => settings.ForPrompt(context.TargetName!),
            _ => null,
        };
        if (rules is null)
        {
            return new(GuardDecision.Continue);
        }

        RuleVerdict verdict = rules.JudgeCall(context.Parameters);
        context.SetVerdict(verdict);
        return new(DecisionOf(verdict));
    }

    /// <summary>One <c>subscriptions/listen</c> names many resources: each is judged as a request for it alone would be.</summary>
    private static GuardDecision JudgeSubscriptions(RequestContext context, ServerSettings settings)
    {
        GuardDecision worst = GuardDecision.Continue;
        foreach (string uri in Subscriptions.UrisOf(context.Current))
        {
            GuardDecision decision = DecisionOf(settings.ForResource(uri).JudgeCall(RequestPayload.None));
            if (decision.Kind == GuardDecisionKind.Deny)
            {
                return decision;
            }

            worst = decision.Kind == GuardDecisionKind.AskConsent ? decision : worst;
        }

        return worst;
    }

    private static GuardDecision DecisionOf(in RuleVerdict verdict) =>
        verdict.Shared ?? GuardDecision.Deny(verdict.Code, verdict.Reason, verdict.Errors.Count > 0 ? SchemaMessages.ForModel(verdict.Errors) : null);
}
