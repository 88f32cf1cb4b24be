using Mcp.Guard.Stages.Consent;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>
/// Passes a question of a guarded server on to the person at the upstream client, under the heading that the guard gave it, and only while no
/// consent of the same caller is open: nobody shall take one for the other. What is answered is the server's; it is never a consent.
/// </summary>
internal sealed class ForwardedElicitation(ConsentService consent, TimeSpan timeout, TimeProvider time)
{
    public async ValueTask<ElicitResult> AskAsync(ElicitRequestParams? asked, CancellationToken ct)
    {
        if (asked is null || asked.Url is not null || GatewayCall.Current is not { CanShowForms: true } call)
        {
            return new ElicitResult { Action = "decline" };
        }

        using var limit = new CancellationTokenSource(timeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            await consent.WhenNoPromptIsOpenAsync(call.Caller, either.Token).ConfigureAwait(false);
            return await call.AskAsync(new ElicitRequestParams { Message = asked.Message, RequestedSchema = asked.RequestedSchema }, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new ElicitResult { Action = "cancel" };
        }
    }
}
