using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Stages.Consent;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>
/// Passes a question of a guarded server on to the person at the upstream client, under the heading that the guard gave it, and only while no
/// consent of the same caller is open: nobody shall take one for the other. What is answered is the server's; it is never a consent. An address is one that
/// the policy lists, shown whole by the guard; it goes to a client that said it can show addresses, and only there is it opened.
/// </summary>
internal sealed class ForwardedElicitation(ConsentService consent, TimeSpan timeout, TimeProvider time)
{
    /// <summary>Addresses of one server that were opened and of whose end it may still tell.</summary>
    private const int MaxOpened = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (GatewaySubscriber Connection, string ShownId)> _opened = new(StringComparer.Ordinal);

    public async ValueTask<ElicitResult> AskAsync(ElicitRequestParams? asked, CancellationToken ct)
    {
        if (asked is null || GatewayCall.Current is not { } call || !(asked.Url is null ? call.CanShowForms : call.CanShowUrls))
        {
            return new ElicitResult { Action = "decline" };
        }

        using var limit = new CancellationTokenSource(timeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            await consent.WhenNoPromptIsOpenAsync(call.Caller, either.Token).ConfigureAwait(false);
            if (asked.Url is null)
            {
                return await call.AskAsync(new ElicitRequestParams { Message = asked.Message, RequestedSchema = asked.RequestedSchema }, either.Token).ConfigureAwait(false);
            }

            // Two servers may choose one id: the client gets one of the gateway.
            string shown = "gateway-" + Guid.NewGuid().ToString("N");
            ElicitResult answer = await call.AskAsync(
                new ElicitRequestParams { Mode = "url", Message = asked.Message, Url = asked.Url, ElicitationId = shown }, either.Token).ConfigureAwait(false);
            if (answer.IsAccepted && asked.ElicitationId is { } id && GatewaySubscriber.Connection is { } connection)
            {
                Remember(id, connection, shown);
            }

            return answer;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new ElicitResult { Action = "cancel" };
        }
    }

    /// <summary>The server tells that what was to be done at an address is done: whoever opened it is told, once.</summary>
    public void Complete(JsonObject told)
    {
        if (told["elicitationId"] is not JsonValue id || id.GetValueKind() != JsonValueKind.String)
        {
            return;
        }

        (GatewaySubscriber Connection, string ShownId) opened;
        lock (_gate)
        {
            if (!_opened.Remove(id.GetValue<string>(), out opened))
            {
                return;
            }
        }

        opened.Connection.TellCompleted(opened.ShownId);
    }

    private void Remember(string id, GatewaySubscriber connection, string shown)
    {
        lock (_gate)
        {
            if (_opened.Count >= MaxOpened)
            {
                _opened.Clear(); // of these nobody is told: a client need not wait for word
            }

            _opened[id] = (connection, shown);
        }
    }
}
