using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.KillSwitch;

namespace Mcp.Guard.Stages.Consent;

/// <summary>Asks a person whether a result may be delivered, where a result stage asked. The call itself has happened; only a timely, explicit yes shows its result.</summary>
internal sealed class ResultConsentStage(ConsentService consent, HaltSwitch halts) : IGuardStage<ResultContext>
{
    private const string Withheld = "The call was carried out, but its result is not shown: a person has to agree to it, and did not. Do not repeat the call for this reason.";

    public string Name => GuardStages.ResultConsent;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct) =>
        context.AskReasons is { Count: > 0 } ? AskAsync(context, ct) : new(GuardDecision.Continue);

    private async ValueTask<GuardDecision> AskAsync(ResultContext context, CancellationToken ct)
    {
        using HaltRegistration halted = halts.Register(context.Server.Id, context.Call.TargetName, context.Caller.UserId);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(ct, halted.Token);
        try
        {
            ConsentVerdict verdict = await context.Call.InCallerFlow(() => consent.DecideAsync(new ResultConsentSubject(context), either.Token)).ConfigureAwait(false);
            return verdict.IsAllowed ? GuardDecision.Continue : GuardDecision.Deny(verdict.Code, verdict.Note, Withheld);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested && halted.Token.IsCancellationRequested)
        {
            return GuardDecision.Deny(GuardDenialCodes.Halted, "a stop was set while the person was asked about the result", Withheld);
        }
    }
}
