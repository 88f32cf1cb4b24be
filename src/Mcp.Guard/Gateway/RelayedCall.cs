using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Gateway;

/// <summary>
/// A request of a client while a guarded server works on it: what the server tells of it goes to that request and no other, in order and before its result.
/// </summary>
/// <param name="caller">On whose behalf.</param>
/// <param name="server">Sends over the stream of the request, where it has one.</param>
/// <param name="session">The client's connection, where the protocol has one.</param>
/// <param name="progress">The token under which the client wants progress; null where it wants none.</param>
/// <param name="level">The least level of log lines that the request asks for (2026-07-28); null for none.</param>
/// <param name="time">Bounds each sending.</param>
internal sealed class RelayedCall(GuardCaller caller, McpServer server, GatewaySubscriber? session, JsonNode? progress, int? level, TimeProvider time)
{
    private const int MaxWaiting = 1_000;

    private readonly OrderedSends _sends = new(server, MaxWaiting, isUnasked: false, time);

    public GuardCaller Caller => caller;

    public GatewaySubscriber? Session => session;

    public bool WantsProgress => progress is not null;

    /// <summary>The least level that this client reads: of the request, or of its connection.</summary>
    public int? Level => session is null ? level : session.Level;

    /// <summary>Whether log lines go to this client at all: a request of 2026-07-28 says so, a connection need not.</summary>
    public bool TakesLog(int rank) => session is null ? level <= rank : (session.Level ?? 0) <= rank;

    /// <summary>The token under which the server reports progress to the gateway.</summary>
    public string Token { get; } = "gateway-" + Guid.NewGuid().ToString("N");

    /// <summary>Ends when what the server told before is sent. Never fails.</summary>
    public Task Told => _sends.Sent;

    public void Progress(JsonObject parameters)
    {
        if (progress is null)
        {
            return;
        }

        var told = (JsonObject)parameters.DeepClone();
        told["progressToken"] = progress.DeepClone();
        _sends.TrySend(new JsonRpcNotification { Method = NotificationMethods.ProgressNotification, Params = told });
    }

    public void Log(JsonObject parameters) =>
        _sends.TrySend(new JsonRpcNotification { Method = NotificationMethods.LoggingMessageNotification, Params = parameters.DeepClone() });
}
