using System.Runtime.CompilerServices;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.Budgets;

/// <summary>What a session may spend: calls in all, calls of one tool, and repeats of the identical call, which ask.</summary>
internal sealed class BudgetStage(SessionBudgets budgets) : IGuardStage<RequestContext>
{
    private static readonly ConditionalWeakTable<BudgetSettings, BudgetLimits> Limits = [];

    public string Name => GuardStages.Budgets;

    /// <summary>The limits that the policy sets for the call's server.</summary>
    public static BudgetLimits LimitsOf(RequestContext context) => Limits.GetValue(context.Settings!.Limits.Budgets, static settings => new BudgetLimits
    {
        CallsPerSession = settings.Calls,
        CallsPerTool = settings.CallsPerTool,
        IdenticalCalls = settings.Repeats,
        IdenticalWindow = settings.RepeatWindow,
    });

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (context.Kind != RequestKind.ToolCall || context.Continues is not null)
        {
            return new(GuardDecision.Continue);
        }

        ValueTask<BudgetVerdict> pending = budgets.CheckAsync(LimitsOf(context), context.Caller, context.Server.Id, context.TargetName!, context.ArgumentsDigest, ct);
        return pending.IsCompletedSuccessfully ? new(Judge(pending.Result)) : AwaitAsync(pending);
    }

    private static async ValueTask<GuardDecision> AwaitAsync(ValueTask<BudgetVerdict> pending) => Judge(await pending.ConfigureAwait(false));

    private static GuardDecision Judge(BudgetVerdict verdict) => verdict switch
    {
        BudgetVerdict.Within => GuardDecision.Continue,
        BudgetVerdict.Repeated => GuardDecision.AskConsent("repeated", "the identical call was made again and again"),
        _ => GuardDecision.Deny(GuardDenialCodes.BudgetSpent, "the session's calls, or its calls of this tool, are used up"),
    };
}
