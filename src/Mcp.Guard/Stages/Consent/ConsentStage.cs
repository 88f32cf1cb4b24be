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

    /// <summary>Whether a person is asked though no rule says so.</summary>
    public static bool AsksByDefault(RequestContext context) =>
        context.Kind == RequestKind.ToolCall
        && context.Verdict.Effect == RuleEffect.None
        && (context.IsDestructive || context.Settings!.Limits.Confirmation == ConfirmationMode.Always);

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (AsksByDefault(context))
        {
            (context.AskReasons ??= []).Add(new GuardAskReason(
                Name,
                context.IsDestructive ? "destructive" : "confirm-always",
                context.IsDestructive ? "the tool counts as destructive and no rule allows it" : "the policy confirms every call"));
        }

        if (context.AskReasons is not { Count: > 0 })
        {
            return new(GuardDecision.Continue);
        }

        // A grant waits for nobody: only a question has to end when a stop is set.
        var subject = new ConsentSubject(context);
        ValueTask<ConsentVerdict?> remembered = consent.FindAsync(subject, ct);
        return remembered.IsCompletedSuccessfully
            ? remembered.Result is { } verdict ? new(DecisionOf(context, verdict)) : AskAsync(context, subject, ct)
            : FindAndAskAsync(context, subject, remembered, ct);
    }

    private async ValueTask<GuardDecision> FindAndAskAsync(RequestContext context, ConsentSubject subject, ValueTask<ConsentVerdict?> remembered, CancellationToken ct) =>
        await remembered.ConfigureAwait(false) is { } verdict ? DecisionOf(context, verdict) : await AskAsync(context, subject, ct).ConfigureAwait(false);

    private async ValueTask<GuardDecision> AskAsync(RequestContext context, ConsentSubject subject, CancellationToken ct)
    {
        // A stop answers every open prompt that it covers with no.
        using HaltRegistration halted = halts.Register(context.Server.Id, context.TargetName, context.Caller.UserId);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(ct, halted.Token);
        ConsentVerdict verdict;
        try
        {
            verdict = await consent.AskAsync(subject, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested && halted.Token.IsCancellationRequested)
        {
            return GuardDecision.Deny(GuardDenialCodes.Halted, "a stop was set while the person was asked");
        }

        return DecisionOf(context, verdict);
    }

    private static GuardDecision DecisionOf(RequestContext context, in ConsentVerdict verdict)
    {
        if (!verdict.IsAllowed)
        {
            // Without an agreement a changed tool is what it was before anyone was asked.
            bool isChanged = context.Entry is { Pin: ToolPinState.Changed }
                && verdict.Code is GuardDenialCodes.ConsentDenied or GuardDenialCodes.ConsentTimeout or GuardDenialCodes.ConsentUnavailable;
            return isChanged
                ? GuardDecision.Deny(GuardDenialCodes.ToolChanged, $"the tool is not as it was approved; {verdict.Note}")
                : GuardDecision.Deny(verdict.Code, verdict.Note, retryAfter: verdict.RetryAfter);
        }

        context.ConsentedFingerprint = verdict.WasAsked ? context.Entry?.Definition.Fingerprint : null;

        context.ConsentNote = verdict.Note;
        context.ConsentGiven = verdict.WasAsked;
        return GuardDecision.Continue;
    }
}
