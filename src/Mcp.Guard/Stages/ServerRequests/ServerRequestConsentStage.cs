using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.KillSwitch;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// Asks a person before a server reaches the host's model, and wherever a stage asked. An elicitation waits until no consent of the same caller is open, so
/// that nobody takes one for the other; its answer is never a consent.
/// </summary>
internal sealed class ServerRequestConsentStage(ConsentService consent, HaltSwitch halts, TimeProvider time) : IGuardStage<ServerRequestContext>
{
    public string Name => GuardStages.ServerRequestConsent;

    public async ValueTask<GuardDecision> EvaluateAsync(ServerRequestContext context, CancellationToken ct)
    {
        bool isElicitation = string.Equals(context.Method, MethodTable.Elicitation, StringComparison.Ordinal);
        if (!isElicitation && context.Settings!.Sampling.Confirm)
        {
            context.Ask(Name, "sampling", $"server '{context.Server.Id}' wants the model of this host to answer it, {ServerRequestOrigin.During(context)}");
        }

        using HaltRegistration halted = halts.Register(context.Server.Id, context.Call!.TargetName, context.Caller.UserId);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(ct, halted.Token);
        try
        {
            if (context.AskReasons is { Count: > 0 })
            {
                context.WasHeld = true;
                ConsentVerdict verdict = await context.Call.InCallerFlow(() => consent.DecideAsync(new ServerRequestConsentSubject(context), either.Token)).ConfigureAwait(false);
                if (!verdict.IsAllowed)
                {
                    return GuardDecision.Deny(verdict.Code, verdict.Note, retryAfter: verdict.RetryAfter);
                }
            }

            return isElicitation ? await HoldAsync(context, either.Token).ConfigureAwait(false) : GuardDecision.Continue;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested && halted.Token.IsCancellationRequested)
        {
            return GuardDecision.Deny(GuardDenialCodes.Halted, "a stop was set while the request waited");
        }
    }

    private async ValueTask<GuardDecision> HoldAsync(ServerRequestContext context, CancellationToken ct)
    {
        Task free = consent.WhenNoPromptIsOpenAsync(context.Caller, ct);
        if (free.IsCompletedSuccessfully)
        {
            return GuardDecision.Continue;
        }

        context.WasHeld = true;
        try
        {
            await free.WaitAsync(context.Connection.Policy.Defaults.ConsentTimeout, time, ct).ConfigureAwait(false);
            return GuardDecision.Continue;
        }
        catch (TimeoutException)
        {
            return ServerRequestGate.Refuse("a consent of the same caller stayed open");
        }
    }
}
