using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Stages.Budgets;
using Mcp.Guard.Stages.Concurrency;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Pipeline;

/// <summary>
/// The flat loop over the stages. It owns order, faults, deadlines and the audit calls; a stage returns a decision and knows nothing of the others.
/// </summary>
internal sealed class GuardPipeline(StageLists stages, AuditTrail audit, ConcurrencyGate gate, SessionBudgets budgets, TimeProvider time, ILogger logger, DryRun? dryRun = null) : IMcpHostPolicy
{
    /// <summary>The stages of every boundary.</summary>
    public StageLists Stages => stages;

    public AuditTrail Audit => audit;

    /// <summary>The slots of all calls.</summary>
    public ConcurrencyGate Gate => gate;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    ValueTask<GuardEvaluation> IMcpHostPolicy.EvaluateAsync(GuardContext context, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context is RequestContext request
            ? EvaluateAsync(request, ct)
            : throw new ArgumentException("The context was not made by this guard; use GuardConnection.CreateRequest.", nameof(context));
    }

    /// <summary>Judges a request and records the decision. The evaluation must be disposed.</summary>
    public ValueTask<GuardEvaluation> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (ct.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<GuardEvaluation>(ct);
        }

        var span = new RequestSpan(context, time);
        ValueTask<GuardEvaluation> judging = EvaluateAsync(context, span, ct);
        return judging.IsCompletedSuccessfully ? judging : EndSpanIfItFailsAsync(judging, span);
    }

    private static async ValueTask<GuardEvaluation> EndSpanIfItFailsAsync(ValueTask<GuardEvaluation> judging, RequestSpan span)
    {
        try
        {
            return await judging.ConfigureAwait(false);
        }
        catch
        {
            span.End("cancelled", GuardDenialCodes.Timeout);
            throw;
        }
    }

    private async ValueTask<GuardEvaluation> EvaluateAsync(RequestContext context, RequestSpan span, CancellationToken ct)
    {
        GuardDenial? denial = context.Fault is { } fault
            ? new GuardDenial(GuardDenialCodes.ArgumentsMalformed, GuardStages.Methods, fault)
            : context.Refusal ?? await JudgeAsync(context, ct).ConfigureAwait(false);

        ConcurrencyLease? lease = null;
        if (denial is null && context.Kind == RequestKind.ToolCall)
        {
            lease = await gate.AcquireAsync(context.Server.Id, context.Caller, ct).ConfigureAwait(false);
            bool goesOn = false;
            try
            {
                denial = lease is null
                    ? new GuardDenial(GuardDenialCodes.TooManyCalls, "concurrency", "every slot of the server or of the caller is taken, and so is the queue")
                    : await ChargeAsync(context, ct).ConfigureAwait(false);
                if (denial is not null && dryRun is not null)
                {
                    denial = await dryRun.RelaxAsync(context, denial, ct).ConfigureAwait(false);
                }

                goesOn = denial is null;
            }
            finally
            {
                if (!goesOn)
                {
                    lease?.Dispose(); // also where the caller cancelled while the store counted
                }
            }
        }

        if (denial is null)
        {
            // Nothing leaves without its record: where the intent cannot be written the call is denied.
            try
            {
                await audit.WriteIntentAsync(context, ct).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                lease?.Dispose();
                // The intent may be on record by now; the call does not leave. The caller does not wait for that word.
                _ = audit.WriteDenialAsync(context, new GuardDenial(GuardDenialCodes.Timeout, "call", "the caller cancelled before the call left"), CancellationToken.None).AsTask();
                throw;
            }
            catch (Exception failure)
            {
                PipelineLog.AuditFailed(logger, AuditKind.Intent, context.DecisionId, failure);
                denial = new GuardDenial(GuardDenialCodes.AuditUnavailable, "audit", $"the intent could not be recorded ({failure.GetType().Name})");
                lease?.Dispose();
            }
        }

        if (denial is not null)
        {
            PipelineLog.Denied(logger, context.Method, context.TargetName, context.Server.Id, denial.Code, denial.Stage, context.DecisionId);
            await audit.WriteDenialAsync(context, denial, ct).ConfigureAwait(false);
            span.Decide("deny", denial.Code);
            span.End("deny", denial.Code);
        }
        else
        {
            span.Decide("allow", null);
        }

        return new Evaluation(this, context, denial, lease, span);
    }

    /// <summary>Runs the result stages. A denial is returned, never thrown.</summary>
    public ValueTask<GuardDenial?> JudgeResultAsync(ResultContext context, CancellationToken ct)
    {
        StageSlot<ResultContext>[] list = stages.Result;
        for (int i = 0; i < list.Length; i++)
        {
            if (!list[i].TryRun(context, ct, out GuardDecision decision, out Task<GuardDecision>? pending) || decision.Kind != GuardDecisionKind.Continue)
            {
                return JudgeResultFromAsync(context, i, pending ?? Task.FromResult(decision), ct);
            }
        }

        return default;
    }

    private async ValueTask<GuardDenial?> JudgeResultFromAsync(ResultContext context, int at, Task<GuardDecision> first, CancellationToken ct)
    {
        StageSlot<ResultContext>[] list = stages.Result;
        bool hasAsked = Array.FindIndex(list, 0, at, IsResultConsent) >= 0;
        for (int i = at; i < list.Length; i++)
        {
            StageSlot<ResultContext> slot = list[i];
            GuardDecision decision = i == at ? await first.ConfigureAwait(false) : await slot.RunAsync(context, ct).ConfigureAwait(false);
            hasAsked |= IsResultConsent(slot);
            switch (decision.Kind)
            {
                case GuardDecisionKind.Continue:
                    break;
                case GuardDecisionKind.Replace:
                    context.Current = decision.Payload;
                    (context.Changes ??= []).Add($"{slot.Name}:{decision.Code}");
                    break;
                case GuardDecisionKind.AskConsent when !hasAsked:
                    (context.AskReasons ??= []).Add(new GuardAskReason(slot.Name, decision.Code, decision.Reason));
                    break;
                default:
                    return DenialOf(slot.Name, decision, "the stage that asks about results has asked");
            }
        }

        return null;
    }

    private static bool IsResultConsent(StageSlot<ResultContext> slot) => string.Equals(slot.Name, GuardStages.ResultConsent, StringComparison.Ordinal);

    /// <summary>Runs the catalogue stages. A denial is returned, never thrown.</summary>
    public async ValueTask<GuardDenial?> JudgeCatalogAsync(CatalogContext context, CancellationToken ct)
    {
        foreach (StageSlot<CatalogContext> slot in stages.Catalog)
        {
            GuardDecision decision = await slot.RunAsync(context, ct).ConfigureAwait(false);
            switch (decision.Kind)
            {
                case GuardDecisionKind.Continue:
                    break;
                case GuardDecisionKind.Replace:
                    context.Current = decision.Payload;
                    (context.Changes ??= []).Add($"{slot.Name}:{decision.Code}");
                    break;
                default:
                    return DenialOf(slot.Name, decision, "a catalogue cannot be asked about");
            }
        }

        return null;
    }

    /// <summary>Judges a request of the server; with no stage that speaks for the method it is refused.</summary>
    public async ValueTask<GuardDenial?> JudgeServerRequestAsync(ServerRequestContext context, CancellationToken ct)
    {
        StageSlot<ServerRequestContext>[] list = stages.ServerRequest;
        bool replaced = false;
        for (int i = 0; i < list.Length; i++)
        {
            StageSlot<ServerRequestContext> slot = list[i];
            bool isConsent = string.Equals(slot.Name, GuardStages.ServerRequestConsent, StringComparison.Ordinal);
            if (isConsent && replaced && await JudgeServerRequestAgainAsync(context, i, ct).ConfigureAwait(false) is { } unsettled)
            {
                return unsettled;
            }

            GuardDecision decision = await slot.RunAsync(context, ct).ConfigureAwait(false);
            switch (decision.Kind)
            {
                case GuardDecisionKind.Continue:
                    if (isConsent && context.WasHeld && await JudgeServerRequestAgainAsync(context, i, ct).ConfigureAwait(false) is { } changed)
                    {
                        return changed;
                    }

                    break;
                case GuardDecisionKind.Replace when !isConsent:
                    replaced |= !Same(decision.Payload, context.Current);
                    context.Current = decision.Payload;
                    break;
                case GuardDecisionKind.AskConsent when !isConsent:
                    context.Ask(slot.Name, decision.Code, decision.Reason);
                    break;
                default:
                    return DenialOf(slot.Name, decision, "this stage may not ask or replace here");
            }
        }

        return null;
    }

    /// <summary>
    /// What goes on must be what every stage before consent accepts as it stands: after a change, and after a wait, in which policy and stops may have changed.
    /// </summary>
    private async ValueTask<GuardDenial?> JudgeServerRequestAgainAsync(ServerRequestContext context, int consentAt, CancellationToken ct)
    {
        bool asked = context.WasHeld;
        int reasons = context.AskReasons?.Count ?? 0;
        StageSlot<ServerRequestContext>[] list = stages.ServerRequest;
        for (int i = 0; i < consentAt; i++)
        {
            StageSlot<ServerRequestContext> slot = list[i];
            if (string.Equals(slot.Name, GuardStages.ServerRequestRate, StringComparison.Ordinal))
            {
                continue; // charged once
            }

            GuardDecision decision = await slot.RunAsync(context, ct).ConfigureAwait(false);
            switch (decision.Kind)
            {
                case GuardDecisionKind.Continue:
                case GuardDecisionKind.Replace when Same(decision.Payload, context.Current):
                    break;
                case GuardDecisionKind.AskConsent:
                    context.Ask(slot.Name, decision.Code, decision.Reason);
                    break;
                default:
                    return DenialOf(slot.Name, decision, "the request does not settle: a stage would change again what another has changed");
            }
        }

        return asked && context.AskReasons?.Count > reasons
            ? new GuardDenial(GuardDenialCodes.ConsentDenied, GuardStages.ServerRequestConsent, "a reason to ask appeared after the person had answered")
            : null;
    }

    /// <summary>Judges a notification of the server.</summary>
    public async ValueTask<GuardDenial?> JudgeNotificationAsync(NotificationContext context, CancellationToken ct)
    {
        foreach (StageSlot<NotificationContext> slot in stages.Notification)
        {
            GuardDecision decision = await slot.RunAsync(context, ct).ConfigureAwait(false);
            switch (decision.Kind)
            {
                case GuardDecisionKind.Continue:
                    break;
                case GuardDecisionKind.Replace:
                    context.Current = decision.Payload;
                    break;
                default:
                    return DenialOf(slot.Name, decision, "a notification cannot be asked about");
            }
        }

        return null;
    }

    /// <summary>Judges a connection before it is made.</summary>
    public async ValueTask<GuardDenial?> JudgeConnectionAsync(ConnectionContext context, CancellationToken ct)
    {
        foreach (StageSlot<ConnectionContext> slot in stages.Connection)
        {
            GuardDecision decision = await slot.RunAsync(context, ct).ConfigureAwait(false);
            if (decision.Kind != GuardDecisionKind.Continue)
            {
                return DenialOf(slot.Name, decision, "a connection is admitted or refused");
            }
        }

        return null;
    }

    private static GuardDenial DenialOf(string stage, in GuardDecision decision, string whyNoOther) =>
        decision.Kind == GuardDecisionKind.Deny
            ? new GuardDenial(decision.Code, stage, decision.Reason, decision.ModelMessage, decision.RetryAfter)
            : new GuardDenial(GuardDenialCodes.GuardFault, stage, $"the decision {decision.Kind} has no place here: {whyNoOther}");

    /// <summary>Counts the call against the session's budgets, right before it leaves; a continued call was counted with its first request.</summary>
    private ValueTask<GuardDenial?> ChargeAsync(RequestContext context, CancellationToken ct)
    {
        if (context.Continues is not null)
        {
            return default;
        }

        ValueTask<bool> charging;
        try
        {
            charging = budgets.ChargeAsync(BudgetStage.LimitsOf(context), context.Caller, context.Server.Id, context.TargetName!, context.ArgumentsDigest, ct);
        }
        catch (Exception fault)
        {
            charging = ValueTask.FromException<bool>(fault);
        }

        return charging.IsCompletedSuccessfully ? new(charging.Result ? null : Spent()) : AwaitChargeAsync(charging, ct);
    }

    private static GuardDenial Spent() => new(GuardDenialCodes.BudgetSpent, GuardStages.Budgets, "a parallel call spent the rest of the budget");

    private async ValueTask<GuardDenial?> AwaitChargeAsync(ValueTask<bool> charging, CancellationToken ct)
    {
        try
        {
            return await charging.ConfigureAwait(false) ? null : Spent();
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            PipelineLog.StageThrew(logger, GuardStages.Budgets, fault);
            return new GuardDenial(GuardDenialCodes.GuardFault, GuardStages.Budgets, $"the budget store failed ({fault.GetType().Name})");
        }
    }

    /// <summary>Nearly every decision is there at once and lets the call go on, which needs no state machine; the first that is otherwise goes to the other loop.</summary>
    private ValueTask<GuardDenial?> JudgeAsync(RequestContext context, CancellationToken ct)
    {
        if (dryRun is not null)
        {
            return JudgeFromAsync(context, 0, null, ct);
        }

        StageSlot<RequestContext>[] list = stages.Request;
        for (int i = 0; i < list.Length; i++)
        {
            if (IsConsentedBefore(list[i], context))
            {
                continue;
            }

            StageSlot<RequestContext> slot = list[i];
            if (!slot.TryRun(context, ct, out GuardDecision decision, out Task<GuardDecision>? pending))
            {
                return JudgeFromAsync(context, i, pending, ct);
            }

            switch (decision.Kind)
            {
                case GuardDecisionKind.Continue when !context.ConsentGiven:
                    break;
                case GuardDecisionKind.AskConsent when !IsConsent(slot):
                    context.Ask(slot.Name, decision.Code, decision.Reason);
                    break;
                case GuardDecisionKind.Deny:
                    return new(DenialOf(slot.Name, decision, string.Empty));
                default:
                    return JudgeFromAsync(context, i, Task.FromResult(decision), ct);
            }
        }

        return default;
    }

    private static bool IsConsent(StageSlot<RequestContext> slot) => string.Equals(slot.Name, GuardStages.Consent, StringComparison.Ordinal);

    /// <summary>A continued call was consented to, and recorded, with its first request.</summary>
    private static bool IsConsentedBefore(StageSlot<RequestContext> slot, RequestContext context) => context.Continues is not null && IsConsent(slot);

    /// <param name="context">The request.</param>
    /// <param name="at">The stage whose decision is at hand.</param>
    /// <param name="first">Its decision; null where that stage has not run.</param>
    /// <param name="ct">Cancels the wait.</param>
    private async ValueTask<GuardDenial?> JudgeFromAsync(RequestContext context, int at, Task<GuardDecision>? first, CancellationToken ct)
    {
        bool replaced = false;
        StageSlot<RequestContext>[] list = stages.Request;
        for (int i = at; i < list.Length; i++)
        {
            StageSlot<RequestContext> slot = list[i];
            bool isConsent = IsConsent(slot);
            if (IsConsentedBefore(slot, context))
            {
                continue;
            }

            GuardDecision decision = first is not null
                ? await first.ConfigureAwait(false)
                : isConsent && dryRun is not null && await dryRun.PassConsentAsync(context, ct).ConfigureAwait(false) is { } passed
                    ? passed
                    : await slot.RunAsync(context, ct).ConfigureAwait(false);
            first = null;
            if (dryRun is not null && !isConsent)
            {
                decision = await dryRun.RelaxAsync(context, slot.Name, decision, ct).ConfigureAwait(false);
            }

            switch (decision.Kind)
            {
                case GuardDecisionKind.Continue:
                    if (isConsent && context.ConsentGiven)
                    {
                        GuardDenial? changed = await JudgeAgainAsync(context, i, ct).ConfigureAwait(false);
                        if (changed is not null)
                        {
                            return changed;
                        }
                    }

                    break;

                case GuardDecisionKind.AskConsent when !isConsent:
                    context.Ask(slot.Name, decision.Code, decision.Reason);
                    break;

                case GuardDecisionKind.Replace when !replaced && !context.ConsentGiven && !isConsent:
                    // What was checked must be what runs: the stages before this one judge the new value from the start.
                    replaced = true;
                    context.AskReasons = null;
                    (context.Changes ??= []).Add($"{slot.Name}:{decision.Code}");
                    context.SetPayload(decision.Payload);
                    if (context.Fault is { } fault)
                    {
                        return new GuardDenial(GuardDenialCodes.GuardFault, slot.Name, $"the replacement is not acceptable: {fault}");
                    }

                    i = -1;
                    break;

                case GuardDecisionKind.Replace when replaced && Same(decision.Payload, context.Current):
                    break; // the same stage rewrites to what already stands there

                default:
                    return DenialOf(slot.Name, decision, replaced ? "a second replacement in one run" : "this stage may not ask or replace here");
            }
        }

        return null;
    }

    /// <summary>After an answer every stage but rate and consent judges the same value again: policy, roots, links and stops may have changed meanwhile.</summary>
    private async ValueTask<GuardDenial?> JudgeAgainAsync(RequestContext context, int consentAt, CancellationToken ct)
    {
        bool isOtherPolicy = context.UseCurrentPolicy();
        if (isOtherPolicy && !context.ArgumentsRedacted && context.Settings is { Limits.RedactArguments: true })
        {
            return new GuardDenial(GuardDenialCodes.ConsentDenied, GuardStages.Redaction, "the policy now has credentials taken out of arguments, and the person was shown others than would be sent");
        }

        StageSlot<RequestContext>[] list = stages.Request;
        for (int i = 0; i < consentAt; i++)
        {
            StageSlot<RequestContext> slot = list[i];
            if (string.Equals(slot.Name, GuardStages.RateLimit, StringComparison.Ordinal) || string.Equals(slot.Name, GuardStages.Budgets, StringComparison.Ordinal))
            {
                continue; // charged once, with the attempt
            }

            GuardDecision decision = await slot.RunAsync(context, ct).ConfigureAwait(false);
            switch (decision.Kind)
            {
                case GuardDecisionKind.Continue:
                case GuardDecisionKind.Replace when Same(decision.Payload, context.Current):
                    break;
                case GuardDecisionKind.AskConsent when WasShown(context, slot.Name, decision, isOtherPolicy):
                    break;
                case GuardDecisionKind.AskConsent or GuardDecisionKind.Deny when dryRun is not null && !isOtherPolicy && DryRun.Covers(slot.Name, decision):
                    break; // on record since the first run
                case GuardDecisionKind.AskConsent:
                    return new GuardDenial(GuardDenialCodes.ConsentDenied, slot.Name, "a reason to ask appeared after the person had answered");
                default:
                    return DenialOf(slot.Name, decision, "nothing may be replaced after consent");
            }
        }

        return null;
    }

    private static bool WasShown(RequestContext context, string stage, in GuardDecision decision, bool isOtherPolicy)
    {
        foreach (GuardAskReason reason in context.AskReasons ?? [])
        {
            // Another policy may ask under the same code for a reason of its own.
            if (string.Equals(reason.Stage, stage, StringComparison.Ordinal)
                && string.Equals(reason.Code, decision.Code, StringComparison.Ordinal)
                && (!isOtherPolicy || string.Equals(reason.Reason, decision.Reason, StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Same(JsonElement a, JsonElement b) => string.Equals(a.GetRawText(), b.GetRawText(), StringComparison.Ordinal);
}
