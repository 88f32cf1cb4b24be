using System.Globalization;
using System.Text;
using Mcp.Guard.Stages.Consent;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>
/// Passes a question of a guarded server on to the person at the upstream client, under the guard's own heading that names the server, and only while no
/// consent of the same caller is open: nobody shall take one for the other. What is answered is the server's; it is never a consent.
/// </summary>
internal sealed class ForwardedElicitation(string serverId, ConsentService consent, TimeSpan timeout, TimeProvider time)
{
    private const int MaxLines = 40;
    private const int MaxLine = 400;

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
            return await call.AskAsync(new ElicitRequestParams { Message = Label(serverId, asked.Message), RequestedSchema = asked.RequestedSchema }, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new ElicitResult { Action = "cancel" };
        }
    }

    /// <summary>The server's words, every line marked as such, below the guard's.</summary>
    public static string Label(string serverId, string? message)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Server '{ConsentDisplay.Name(serverId)}' asks the following. This is not a request of the gateway for your consent.\n");
        int lines = 0;
        foreach (string line in (message ?? string.Empty).Split('\n'))
        {
            if (lines++ == MaxLines)
            {
                text.Append("> [more lines are not shown]\n");
                break;
            }

            text.Append("> ").Append(ConsentDisplay.Quote(line.TrimEnd('\r'), MaxLine).Text).Append('\n');
        }

        return text.ToString();
    }
}
