using System.Globalization;
using Mcp.Guard.Audit;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;

namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// Where people are asked: remembered answers first, then the provider, within the policy's time. Whatever is not a timely, matching, offered "yes" denies.
/// </summary>
internal sealed class ConsentDesk(IConsentSource? source, IConsentStore grants, TimeProvider time)
{
    /// <summary>The longest life of a remembered answer.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(30);

    /// <summary>How long an answer "for this session" is remembered at most.</summary>
    private static readonly TimeSpan SessionLifetime = TimeSpan.FromHours(24);

    /// <summary>Set once the pipeline is built.</summary>
    public AuditTrail Audit { get; set; } = null!;

    public async ValueTask<GuardDecision> DecideAsync(RequestContext call, CancellationToken ct)
    {
        ConsentBinding binding = BindingOf(call);
        ConsentGrant? grant = await grants.TakeAsync(binding, time.GetUtcNow(), ct).ConfigureAwait(false);
        if (grant is not null)
        {
            call.ConsentNote = "grant:" + grant.GrantId;
            await Audit.WriteConsentAsync(call, grant.IsRefusal ? "refused-before" : "granted-before", grant.GrantId, null, ct).ConfigureAwait(false);
            return grant.IsRefusal
                ? GuardDecision.Deny(GuardDenialCodes.ConsentDenied, "the person said never")
                : GuardDecision.Continue;
        }

        if (source is null)
        {
            await Audit.WriteConsentAsync(call, "unavailable", "the host denies instead of asking", null, ct).ConfigureAwait(false);
            return GuardDecision.Deny(GuardDenialCodes.ConsentUnavailable, "nobody is asked in this host");
        }

        TimeSpan limit = call.Settings!.Limits.ConsentTimeout;
        ConsentRequest request = Describe(call, time.GetUtcNow() + limit);
        await Audit.WriteConsentAsync(call, "asked", string.Join("; ", request.Reasons), null, ct).ConfigureAwait(false);
        ConsentAnswer? answer;
        using (var watch = call.Connection.Runtime.Halts.Observe(call.Server.Id, call.TargetName, call.Caller.UserId))
        using (var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct, watch.Token))
        {
            try
            {
                Task<ConsentAnswer> asking = Task.Run(() => source.AskAsync(request, deadline.Token), CancellationToken.None);
                answer = await asking.WaitAsync(limit, time, deadline.Token).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                await deadline.CancelAsync().ConfigureAwait(false);
                await Audit.WriteConsentAsync(call, "timeout", null, null, ct).ConfigureAwait(false);
                return GuardDecision.Deny(GuardDenialCodes.ConsentTimeout, $"no answer within {limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s");
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                await Audit.WriteConsentAsync(call, "cancelled", null, null, CancellationToken.None).ConfigureAwait(false);
                throw;
            }
            catch (OperationCanceledException) when (watch.Token.IsCancellationRequested)
            {
                await Audit.WriteConsentAsync(call, "halted", null, null, ct).ConfigureAwait(false);
                return GuardDecision.Deny(GuardDenialCodes.Halted, "a stop was set while the person was asked");
            }
            catch (Exception failure)
            {
                await Audit.WriteConsentAsync(call, "unavailable", failure.GetType().Name, null, ct).ConfigureAwait(false);
                return GuardDecision.Deny(GuardDenialCodes.ConsentUnavailable, $"the consent provider failed ({failure.GetType().Name})");
            }
        }

        return await TakeAnswerAsync(call, request, binding, answer, ct).ConfigureAwait(false);
    }

    private async ValueTask<GuardDecision> TakeAnswerAsync(RequestContext call, ConsentRequest request, ConsentBinding binding, ConsentAnswer? answer, CancellationToken ct)
    {
        if (answer is null || !string.Equals(answer.RequestId, request.RequestId, StringComparison.Ordinal))
        {
            await Audit.WriteConsentAsync(call, "invalid", answer is null ? "no answer" : "an answer to another request", null, ct).ConfigureAwait(false);
            return GuardDecision.Deny(GuardDenialCodes.ConsentDenied, "the provider gave no answer to this request");
        }

        ConsentScopes chosen = answer.Kind switch
        {
            ConsentAnswerKind.AllowOnce => ConsentScopes.Once,
            ConsentAnswerKind.AllowTheseArguments => ConsentScopes.TheseArguments,
            ConsentAnswerKind.AllowTool => ConsentScopes.Tool,
            ConsentAnswerKind.Never => ConsentScopes.Never,
            _ => ConsentScopes.None,
        };
        bool lifetimeFits = answer.Lifetime is null || (answer.Lifetime > TimeSpan.Zero && answer.Lifetime <= MaxLifetime);
        if (chosen == ConsentScopes.None || (request.Offered & chosen) == 0 || !lifetimeFits || time.GetUtcNow() > request.Deadline)
        {
            bool saidNo = answer.Kind == ConsentAnswerKind.Deny;
            await Audit.WriteConsentAsync(call, "denied", saidNo ? null : "an answer that was not offered, or came late", answer.AnsweredBy, ct).ConfigureAwait(false);
            return GuardDecision.Deny(GuardDenialCodes.ConsentDenied, saidNo ? "the person said no" : "the answer was not one that was offered in time");
        }

        await Audit.WriteConsentAsync(call, answer.Kind.ToString(), null, answer.AnsweredBy, ct).ConfigureAwait(false);
        if (chosen != ConsentScopes.Once)
        {
            await grants.AddAsync(
                new ConsentGrant
                {
                    GrantId = Guid.NewGuid().ToString("N"),
                    Binding = binding,
                    IsRefusal = chosen == ConsentScopes.Never,
                    CoversAnyArguments = chosen is ConsentScopes.Tool or ConsentScopes.Never,
                    CoversAnySession = answer.Lifetime is not null || chosen == ConsentScopes.Never,
                    ExpiresAt = time.GetUtcNow() + (answer.Lifetime ?? (chosen == ConsentScopes.Never ? MaxLifetime : SessionLifetime)),
                },
                ct).ConfigureAwait(false);
        }

        if (chosen == ConsentScopes.Never)
        {
            return GuardDecision.Deny(GuardDenialCodes.ConsentDenied, "the person said never");
        }

        call.ConsentNote = "answer:" + answer.Kind;
        call.ConsentGiven = true;
        return GuardDecision.Continue;
    }

    private static ConsentBinding BindingOf(RequestContext call) => new()
    {
        Server = call.Server.ToString(),
        Method = call.Method,
        Tool = call.TargetName ?? string.Empty,
        Fingerprint = call.Entry?.Definition.Fingerprint ?? string.Empty,
        ArgumentsDigest = call.ArgumentsDigest,
        UserId = call.Caller.UserId,
        SessionId = call.Caller.SessionId,
        PolicyRevision = call.Settings!.Revision,
    };

    private static ConsentRequest Describe(RequestContext call, DateTimeOffset deadline)
    {
        DisplayText display = ConsentDisplay.Arguments(call.ArgumentsElement);
        return new ConsentRequest
        {
            RequestId = Guid.NewGuid().ToString("N"),
            DecisionId = call.DecisionId,
            ServerId = call.Server.Id,
            Method = call.Method,
            ToolName = ConsentDisplay.Name(call.TargetName ?? call.Method),
            Arguments = call.ArgumentsElement,
            ArgumentsForDisplay = display.Text,
            IsCut = display.IsCut,
            Reasons = [.. call.AskReasons!.Select(reason => reason.Reason).Distinct(StringComparer.Ordinal)],
            Caller = call.Caller,
            IsDestructive = call.IsDestructive,
            IsOpenWorld = call.Entry is null || ToolDanger.Weigh(call.Entry.Hints, call.Settings!.Trusted, null).IsOpenWorld,
            Offered = display.IsCut ? ConsentScopes.Once | ConsentScopes.Never : ConsentScopes.Once | ConsentScopes.TheseArguments | ConsentScopes.Tool | ConsentScopes.Never,
            Deadline = deadline,
        };
    }
}
