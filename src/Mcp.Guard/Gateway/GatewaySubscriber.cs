using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Mcp.Guard.Pipeline;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Gateway;

/// <summary>
/// Whom the gateway tells without being asked: the connection of a client (2025-11-25), or one <c>subscriptions/listen</c> stream (2026-07-28), which is told only
/// what it named, under its own id.
/// </summary>
/// <param name="server">Sends to the client.</param>
/// <param name="caller">Whose client it is.</param>
/// <param name="stream">The id of the listen request; null for a connection.</param>
/// <param name="time">Bounds each sending.</param>
internal sealed class GatewaySubscriber(McpServer server, GuardCaller caller, RequestId? stream, TimeProvider time)
{
    /// <summary>Resources that one client may be subscribed to at the same time.</summary>
    public const int MaxSubscriptions = 1_000;

    private const int MaxWaiting = 256;
    private const string SubscriptionIdKey = "io.modelcontextprotocol/subscriptionId";

    private static readonly AsyncLocal<GatewaySubscriber?> Ambient = new();

    private readonly OrderedSends _sends = new(server, MaxWaiting, isUnasked: stream is null, time);

    /// <summary>The connection that the current message came over; null where its protocol has none.</summary>
    public static GatewaySubscriber? Connection
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    public GuardCaller Caller => caller;

    public bool IsStream => stream is not null;

    public bool IsGone => _sends.IsBroken;

    /// <summary>The least level of log lines that the client set for its connection; null where it set none.</summary>
    public int? Level { get; set; }

    /// <summary>False for a stream until its acknowledgement is on its way, which comes first.</summary>
    public bool IsOpen { get; set; } = stream is null;

    /// <summary>The list changes that the client wants; null for all.</summary>
    public IReadOnlyCollection<string>? Lists { get; init; }

    /// <summary>What the client is subscribed to, by the URI that it named.</summary>
    public ConcurrentDictionary<string, ResourceSubscription> Subscriptions { get; } = new(StringComparer.Ordinal);

    /// <summary>Tells that what was to be done at an address, which this client opened, is done.</summary>
    public void TellCompleted(string elicitationId) => Tell(MethodTable.ElicitationComplete, new JsonObject { ["elicitationId"] = elicitationId });

    public void TellChanged(string method)
    {
        if (Lists is null || Lists.Contains(method))
        {
            Tell(method, null);
        }
    }

    public void Tell(string method, JsonObject? parameters)
    {
        if (stream is { } id)
        {
            parameters ??= [];
            parameters["_meta"] = new JsonObject { [SubscriptionIdKey] = id.Id is long number ? JsonValue.Create(number) : JsonValue.Create(id.ToString()) };
        }

        _sends.TrySend(new JsonRpcNotification { Method = method, Params = parameters });
    }
}
