using Mcp.Guard.Audit;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Consent;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Pipeline;

/// <summary>
/// What a dry run lets pass, in one place: denials and questions of the rules, the budgets, the rates and the default confirmation, each on record before it
/// passes. Everything else stands: admission, callers, pins, schemas, roots, URLs, parallel calls, stops, faults, results, requests of servers, and the no of a
/// person. Only the command <c>mcp-guard run --dry-run</c> makes one; neither a policy nor the public surface can.
/// </summary>
internal sealed class DryRun(AuditTrail audit, ILogger logger)
{
    /// <summary>Begins the policy revision of every record of a dry run, so that none can be taken for one of a guard in force.</summary>
    public const string Mark = "dry-run:";

    /// <summary>Begins the reason of an intent that left although a guard in force would have denied or asked; each stage and code follow.</summary>
    public const string PassedReason = "dry run, passed: ";

    /// <summary>Whether a denial of this stage is one that passes. A fault of the stage is not: it says nothing of the policy.</summary>
    public static bool Covers(string stage, in GuardDecision decision) => decision.Kind switch
    {
        GuardDecisionKind.Deny => (stage, decision.Code) is (GuardStages.Rules, GuardDenialCodes.RuleDenied or GuardDenialCodes.ArgumentsInvalid)
            or (GuardStages.Budgets, GuardDenialCodes.BudgetSpent)
            or (GuardStages.RateLimit, GuardDenialCodes.RateLimited),
        GuardDecisionKind.AskConsent => stage is GuardStages.Rules or GuardStages.Budgets,
        _ => false,
    };

    /// <summary>The decision of a stage as a dry run takes it; unchanged where it is not covered, or could not be recorded.</summary>
    public async ValueTask<GuardDecision> RelaxAsync(RequestContext context, string stage, GuardDecision decision, CancellationToken ct)
    {
        if (!Covers(stage, decision))
        {
            return decision;
        }

        string word = decision.Kind == GuardDecisionKind.Deny ? "would-deny" : "would-ask";
        return await RecordAsync(context, word, decision.Code, stage, decision.Reason, ct).ConfigureAwait(false)
            ? GuardDecision.Continue
            : GuardDecision.Deny(GuardDenialCodes.AuditUnavailable, "what a dry run lets pass could not be recorded");
    }

    /// <summary>
    /// Whether the stage that asks people is passed over: nobody is asked in a dry run about what rules and defaults ask. Where another stage asked, such as about
    /// a changed tool, a person is asked as ever.
    /// </summary>
    public async ValueTask<GuardDecision?> PassConsentAsync(RequestContext context, CancellationToken ct)
    {
        if (context.AskReasons is { Count: > 0 })
        {
            return null;
        }

        return !ConsentStage.AsksByDefault(context)
            || await RecordAsync(context, "would-ask", context.IsDestructive ? "destructive" : "confirm-always", GuardStages.Consent, "no rule allows the call", ct).ConfigureAwait(false)
                ? GuardDecision.Continue
                : GuardDecision.Deny(GuardDenialCodes.AuditUnavailable, "what a dry run lets pass could not be recorded");
    }

    /// <summary>The same for the budgets that are charged right before a call leaves.</summary>
    public async ValueTask<GuardDenial?> RelaxAsync(RequestContext context, GuardDenial? denial, CancellationToken ct) =>
        denial is { Code: GuardDenialCodes.BudgetSpent, Stage: GuardStages.Budgets }
        && await RecordAsync(context, "would-deny", denial.Code, denial.Stage, denial.Reason, ct).ConfigureAwait(false)
            ? null
            : denial;

    private async ValueTask<bool> RecordAsync(RequestContext context, string word, string code, string stage, string? reason, CancellationToken ct)
    {
        try
        {
            await audit.WritePassedAsync(context, word, code, stage, reason, ct).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            PipelineLog.AuditFailed(logger, AuditKind.Denial, context.DecisionId, failure);
            return false;
        }

        (context.PassedByDryRun ??= []).Add($"{stage}:{code}");
        PipelineLog.PassedByDryRun(logger, context.Method, context.TargetName, context.Server.Id, word, code, stage);
        return true;
    }
}
