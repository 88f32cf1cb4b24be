using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>
/// Passes a judged sampling request of a guarded server on to the client whose request caused it: its model answers. A client that offers no sampling, and a
/// request that belongs to none, is refused.
/// </summary>
internal static class ForwardedSampling
{
    public static async ValueTask<CreateMessageResult> AskAsync(CreateMessageRequestParams? asked, IProgress<ProgressNotificationValue> progress, CancellationToken ct)
    {
        if (asked is null || GatewayCall.Current is not { CanSample: true } call)
        {
            throw new McpException("The client of this gateway offers no sampling.");
        }

        asked.Meta = null; // of the other connection
        return await call.SampleAsync(asked, ct).ConfigureAwait(false);
    }
}
