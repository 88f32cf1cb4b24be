using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Gateway;

/// <summary>Everybody whom the gateway can tell something. A connection leaves when the SDK drops it, a listen stream when its request ends.</summary>
internal sealed class GatewayAudience(TimeProvider time)
{
    /// <summary>Listen streams that one caller may hold open.</summary>
    public const int MaxStreamsPerCaller = 32;

    private readonly Lock _gate = new();
    private readonly ConditionalWeakTable<ClientCapabilities, GatewaySubscriber> _ofSession = [];
    private readonly List<Connection> _connections = [];
    private readonly List<GatewaySubscriber> _streams = [];

    /// <summary>
    /// The subscriber that a connection is, made with its first message. What the client said of itself at its handshake is one object for each connection and as
    /// long as it, which the SDK's servers, one for each message, are not. Another user over the same connection is another subscriber, which takes its place.
    /// </summary>
    public GatewaySubscriber ConnectionOf(McpServer server, ClientCapabilities session, GuardCaller caller)
    {
        List<ResourceSubscription>? left = null;
        GatewaySubscriber? known;
        GatewaySubscriber connection;
        lock (_gate)
        {
            if (_ofSession.TryGetValue(session, out known) && known.Caller.Equals(caller))
            {
                return known;
            }

            connection = new GatewaySubscriber(server, caller, stream: null, time);
            _ofSession.AddOrUpdate(session, connection);
            for (int i = _connections.Count - 1; i >= 0; i--)
            {
                if (!_connections[i].Who.TryGetTarget(out GatewaySubscriber? alive) || alive.IsGone || ReferenceEquals(alive, known))
                {
                    (left ??= []).AddRange(_connections[i].Subscriptions.Values);
                    _connections.RemoveAt(i);
                }
            }

            _connections.Add(new Connection(new WeakReference<GatewaySubscriber>(connection), connection.Subscriptions));
        }

        if (left is { Count: > 0 })
        {
            _ = EndAsync(left);
        }

        return connection;
    }

    /// <summary>Ends subscriptions of a client that has left. Never fails: what cannot be ended at the server is told to nobody.</summary>
    public async Task EndAsync(IEnumerable<ResourceSubscription> subscriptions)
    {
        foreach (ResourceSubscription subscription in subscriptions)
        {
            using IDisposable scope = AmbientCaller.Begin(subscription.Caller);
            try
            {
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10), time);
                await subscription.Forward.UnsubscribeAsync(subscription, limit.Token).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // The server is told out of courtesy.
            }
        }
    }

    /// <summary>Adds a listen stream; false where its caller holds too many.</summary>
    public bool TryAdd(GatewaySubscriber stream)
    {
        lock (_gate)
        {
            int ofCaller = 0;
            foreach (GatewaySubscriber other in _streams)
            {
                ofCaller += other.Caller.Equals(stream.Caller) ? 1 : 0;
            }

            if (ofCaller >= MaxStreamsPerCaller)
            {
                return false;
            }

            _streams.Add(stream);
            return true;
        }
    }

    public void Remove(GatewaySubscriber stream)
    {
        lock (_gate)
        {
            _streams.Remove(stream);
        }
    }

    public void TellChanged(string method)
    {
        foreach (GatewaySubscriber subscriber in Snapshot())
        {
            subscriber.TellChanged(method);
        }
    }

    /// <summary>Tells those who subscribed to a resource, each once, by the URI that it knows.</summary>
    public void TellUpdated(GatewayForward forward, string uri)
    {
        foreach (GatewaySubscriber subscriber in Snapshot())
        {
            foreach (ResourceSubscription subscription in subscriber.Subscriptions.Values)
            {
                if (subscription.ShownAs(forward, uri) is { } shown)
                {
                    subscriber.Tell(NotificationMethods.ResourceUpdatedNotification, new JsonObject { ["uri"] = shown });
                    break;
                }
            }
        }
    }

    /// <summary>
    /// A log line of no open request goes to the connections only where all are of one caller: nothing says whose it is. A listen stream is told none.
    /// </summary>
    /// <param name="parameters">The line.</param>
    /// <param name="rank">The rank of its level.</param>
    /// <param name="user">The only caller who has used the connection that it came over, or null where nobody has.</param>
    public void TellLog(JsonObject parameters, int rank, GuardCaller? user)
    {
        GatewaySubscriber[] connections = [.. Snapshot().Where(static subscriber => !subscriber.IsStream)];
        if (connections.Length > 0 && Array.TrueForAll(connections, other => other.Caller.Equals(user ?? connections[0].Caller)))
        {
            foreach (GatewaySubscriber connection in connections)
            {
                if ((connection.Level ?? 0) <= rank)
                {
                    connection.Tell(NotificationMethods.LoggingMessageNotification, (JsonObject)parameters.DeepClone());
                }
            }
        }
    }

    /// <summary>The least level that any connection set; null where none did.</summary>
    public int? LeastLevel() => Snapshot().Min(static subscriber => subscriber.Level);

    /// <summary>The subscriptions to resources of a server.</summary>
    public ResourceSubscription[] SubscriptionsTo(GatewayForward forward) =>
        [.. Snapshot().SelectMany(static subscriber => subscriber.Subscriptions.Values).Where(subscription => ReferenceEquals(subscription.Forward, forward))];

    private List<GatewaySubscriber> Snapshot()
    {
        lock (_gate)
        {
            var all = new List<GatewaySubscriber>(_streams.Count + _connections.Count);
            all.AddRange(_streams.Where(static stream => stream.IsOpen));
            foreach (Connection connection in _connections)
            {
                if (connection.Who.TryGetTarget(out GatewaySubscriber? alive) && !alive.IsGone)
                {
                    all.Add(alive);
                }
            }

            return all;
        }
    }

    /// <summary>A connection as long as the SDK keeps it, and what is to be ended when it no longer does.</summary>
    private sealed record Connection(WeakReference<GatewaySubscriber> Who, System.Collections.Concurrent.ConcurrentDictionary<string, ResourceSubscription> Subscriptions);
}
