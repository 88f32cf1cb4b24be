using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.KillSwitch;

namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// The last request stage: asks a person where a stage asked, where a rule says so, and where the call counts as destructive and no rule allows it.
/// </summary>
internal sealed class ConsentStage(ConsentService consent, HaltSwitch halts) : IGuardStage<RequestContext>
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

        return context.AskReasons is { Count: > 0 } ? AskAsync(context, ct) : new(GuardDecision.Continue);
    }

    private async ValueTask<GuardDecision> AskAsync(RequestContext context, CancellationToken ct)
    {
        // A stop answers every open prompt that it covers with no.
        using HaltRegistration halted = halts.Register(context.Server.Id, context.TargetName, context.Caller.UserId);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(ct, halted.Token);
        ConsentVerdict verdict;
        try
        {
            verdict = await consent.DecideAsync(new ConsentSubject(context), either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested && halted.Token.IsCancellationRequested)
        {
            return GuardDecision.Deny(GuardDenialCodes.Halted, "a stop was set while the person was asked");
        }

        if (!verdict.IsAllowed)
        {
            return GuardDecision.Deny(verdict.Code, verdict.Note, retryAfter: verdict.RetryAfter);
        }

        context.ConsentNote = verdict.Note;
        context.ConsentGiven = verdict.WasAsked;
        return GuardDecision.Continue;
    }
}
