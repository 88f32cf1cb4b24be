using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <content>What the server tells without being asked, and what it is to tell of.</content>
internal sealed partial class GatewayForward
{
    private const string SubscriptionIdKey = "io.modelcontextprotocol/subscriptionId";

    private static readonly TimeSpan LeastWaitForRate = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxWaitForRate = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, RelayedCall> _calls = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _acknowledgements = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _subscribed = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _users = new();
    private GuardCaller? _user;
    private bool _hasSeveralUsers;

    /// <summary>
    /// Takes a judged notification of the server, in the order in which they came. It must not wait. False where it means nothing to the gateway's clients.
    /// </summary>
    private bool Relay(JsonRpcNotification notification)
    {
        switch (notification.Method)
        {
            case MethodTable.Progress:
                if (notification.Params is JsonObject progress && progress["progressToken"] is JsonValue token && token.GetValueKind() == JsonValueKind.String
                    && _calls.TryGetValue(token.GetValue<string>(), out RelayedCall? call))
                {
                    call.Progress(progress);
                }

                return true;

            case MethodTable.LogMessage:
                if (notification.Params is JsonObject line)
                {
                    RelayLog(line);
                }

                return true;

            case MethodTable.ToolsChanged:
                Volatile.Write(ref _toolsListedAt, 0);
                audience.TellChanged(notification.Method);
                return true;

            case MethodTable.PromptsChanged:
                Volatile.Write(ref _promptsListedAt, 0);
                audience.TellChanged(notification.Method);
                return true;

            case MethodTable.ResourcesChanged:
                _resourcesStale = true;
                audience.TellChanged(notification.Method);
                return true;

            case MethodTable.ResourceUpdated:
                if (notification.Params is JsonObject updated && updated["uri"] is JsonValue uri && uri.GetValueKind() == JsonValueKind.String)
                {
                    audience.TellUpdated(this, uri.GetValue<string>());
                }

                return true;

            case MethodTable.ElicitationComplete:
                if (notification.Params is JsonObject completed)
                {
                    _elicitation.Complete(completed);
                }

                return true;

            case MethodTable.SubscriptionAcknowledged:
                if (notification.Params is JsonObject acknowledged && acknowledged["_meta"] is JsonObject meta && meta[SubscriptionIdKey] is JsonValue id
                    && id.GetValueKind() == JsonValueKind.String && _acknowledgements.TryGetValue(id.GetValue<string>(), out TaskCompletionSource? waiting))
                {
                    waiting.TrySetResult();
                }

                return true;

            default:
                return false;
        }
    }

    /// <summary>
    /// Nothing on the wire says to which request a log line belongs, and a server may write it long after the request has ended: once several callers have used a
    /// connection its lines go to nobody, for each may hold what is another's.
    /// </summary>
    private void RelayLog(JsonObject line)
    {
        if (LogLevels.RankOf(line) is not { } rank)
        {
            return;
        }

        GuardCaller? user;
        lock (_users)
        {
            if (_hasSeveralUsers)
            {
                return;
            }

            user = _user;
        }

        RelayedCall[] open = [.. _calls.Values];
        if (open.Length == 0)
        {
            audience.TellLog(line, rank, user);
            return;
        }

        if (!Array.TrueForAll(open, call => call.Caller.Equals(user)))
        {
            return;
        }

        var told = new HashSet<GatewaySubscriber>();
        bool toldRequest = false;
        foreach (RelayedCall call in open)
        {
            // Each connection once; of requests without one, which may be a client's many, one.
            if (call.TakesLog(rank) && (call.Session is { } session ? told.Add(session) : !toldRequest))
            {
                toldRequest |= call.Session is null;
                call.Log(line);
            }
        }
    }

    private void NoteUser(GuardCaller caller)
    {
        lock (_users)
        {
            _hasSeveralUsers |= _user is not null && !_user.Equals(caller);
            _user ??= caller;
        }
    }

    /// <summary>A new connection has been used by nobody.</summary>
    private void ForgetUsers()
    {
        lock (_users)
        {
            _user = null;
            _hasSeveralUsers = false;
        }
    }

    /// <summary>Sets the server's log level to the least that a connected client wants, where the server has levels (2025-11-25).</summary>
    public async Task SetLevelAsync(CancellationToken ct)
    {
        // A server that is not connected yet gets the level with its connection.
        if (Connected is { } client)
        {
            await SendLevelAsync(client, ct).ConfigureAwait(false);
        }
    }

    /// <summary>The connection that is there; null where one would have to be made.</summary>
    private McpClient? Connected
    {
        get
        {
            lock (_gate)
            {
                return _connecting is { IsCompletedSuccessfully: true } made && !made.Result.Completion.IsCompleted ? made.Result : null;
            }
        }
    }

    private async Task SendLevelAsync(McpClient client, CancellationToken ct)
    {
        if (audience.LeastLevel() is { } level && client.ServerCapabilities.Logging is not null && !MethodTable.IsStateless(client.NegotiatedProtocolVersion))
        {
            await client.SendRequestAsync(
                new JsonRpcRequest { Method = MethodTable.SetLevel, Params = new JsonObject { ["level"] = LogLevels.NameOf(level) } }, ct).ConfigureAwait(false);
        }
    }

    /// <summary>What is done with each new connection: log level, list changes, subscriptions of the one before; and, at its end, word to the clients.</summary>
    private async Task FollowAsync(McpClient client)
    {
        long opened = guard.Runtime.Time.GetTimestamp();
        try
        {
            await SendLevelAsync(client, _ending.Token).ConfigureAwait(false);
            if (MethodTable.IsStateless(client.NegotiatedProtocolVersion))
            {
                _ = ListenForListsAsync(client);
            }

            foreach (ResourceSubscription subscription in audience.SubscriptionsTo(this))
            {
                await StartAgainAsync(client, subscription).ConfigureAwait(false);
            }
        }
        catch (Exception) when (_ending.IsCancellationRequested)
        {
            // The gateway ends.
        }
        catch (Exception failure)
        {
            GatewayLog.NotFollowed(logger, serverId, failure.GetType().Name);
        }

        await client.Completion.ConfigureAwait(false);
        Volatile.Write(ref _toolsListedAt, 0);
        Volatile.Write(ref _promptsListedAt, 0);
        _resourcesStale = true;

        // Clients list again, which starts the server again. One that ends at once is not started by word of its own end.
        if (!_ending.IsCancellationRequested && guard.Runtime.Time.GetElapsedTime(opened) > Pause)
        {
            audience.TellChanged(MethodTable.ToolsChanged);
            audience.TellChanged(MethodTable.PromptsChanged);
            audience.TellChanged(MethodTable.ResourcesChanged);
        }
    }

    /// <summary>One that the policy or the server refuses now takes no other with it; one that is only too early for the caller's rate waits for it.</summary>
    private async Task StartAgainAsync(McpClient client, ResourceSubscription subscription)
    {
        using IDisposable scope = AmbientCaller.Begin(subscription.Caller);
        try
        {
            while (!client.Completion.IsCompleted)
            {
                try
                {
                    await StartAsync(client, subscription, _ending.Token).ConfigureAwait(false);
                    return;
                }
                catch (McpGuardException early) when (early is { Code: GuardDenialCodes.RateLimited, RetryAfter: { } wait } && wait <= MaxWaitForRate)
                {
                    await Task.Delay(wait > LeastWaitForRate ? wait : LeastWaitForRate, guard.Runtime.Time, _ending.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception failure) when (!_ending.IsCancellationRequested && !client.Completion.IsCompleted)
        {
            GatewayLog.NotFollowed(logger, serverId, failure.GetType().Name);
        }
    }

    /// <summary>A server of 2026-07-28 tells of changed lists only over a stream that was asked for.</summary>
    private async Task ListenForListsAsync(McpClient client)
    {
        var wanted = new JsonObject();
        ServerCapabilities able = client.ServerCapabilities;
        AddWhere(able.Tools?.ListChanged, "toolsListChanged");
        AddWhere(able.Prompts?.ListChanged, "promptsListChanged");
        AddWhere(able.Resources?.ListChanged, "resourcesListChanged");
        if (wanted.Count == 0)
        {
            return;
        }

        try
        {
            await client.SendRequestAsync(ListenRequest(Guid.NewGuid().ToString("N"), wanted), _ending.Token).ConfigureAwait(false);
        }
        catch (Exception) when (_ending.IsCancellationRequested)
        {
            // The gateway ends.
        }
        catch (Exception failure)
        {
            GatewayLog.NotFollowed(logger, serverId, failure.GetType().Name);
        }

        void AddWhere(bool? isAble, string member)
        {
            if (isAble == true)
            {
                wanted[member] = true;
            }
        }
    }

    /// <summary>Subscribes to a resource on behalf of the ambient caller; throws where that is denied or the server refuses.</summary>
    public async Task SubscribeAsync(ResourceSubscription subscription, CancellationToken ct)
    {
        using ConnectionUse use = Use();
        McpClient client = await ConnectAsync(ct).ConfigureAwait(false);
        await StartAsync(client, subscription, ct).ConfigureAwait(false);
        _subscribed.AddOrUpdate(subscription.Uri, 1, static (_, count) => count + 1);
    }

    /// <summary>Ends a subscription; the server is told once the last client of this resource has left.</summary>
    public async Task UnsubscribeAsync(ResourceSubscription subscription, CancellationToken ct)
    {
        if (subscription.Stream is { } stream)
        {
            await stream.CancelAsync().ConfigureAwait(false);
        }

        if (_subscribed.AddOrUpdate(subscription.Uri, 0, static (_, count) => Math.Max(0, count - 1)) > 0 || subscription.Stream is not null)
        {
            return;
        }

        _subscribed.TryRemove(new KeyValuePair<string, int>(subscription.Uri, 0));
        if (Connected is { } client)
        {
            await client.UnsubscribeFromResourceAsync(new UnsubscribeRequestParams { Uri = subscription.Uri }, ct).ConfigureAwait(false);
        }
    }

    private async Task StartAsync(McpClient client, ResourceSubscription subscription, CancellationToken ct)
    {
        NoteUser(subscription.Caller);
        if (!MethodTable.IsStateless(client.NegotiatedProtocolVersion))
        {
            subscription.Stream = null;
            await client.SubscribeToResourceAsync(new SubscribeRequestParams { Uri = subscription.Uri }, ct).ConfigureAwait(false);
            return;
        }

        string id = "gateway-" + Guid.NewGuid().ToString("N");
        var acknowledged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _acknowledgements[id] = acknowledged;
        CancellationTokenSource stream = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        Task<JsonRpcResponse> listening = client.SendRequestAsync(
            ListenRequest(id, new JsonObject { ["resourceSubscriptions"] = new JsonArray(JsonValue.Create(subscription.Uri)) }), stream.Token);
        try
        {
            Task first = await Task.WhenAny(acknowledged.Task, listening).WaitAsync(ct).ConfigureAwait(false);
            await first.ConfigureAwait(false);
            subscription.Stream = stream;
            _ = listening.ContinueWith(static ended => _ = ended.Exception, TaskScheduler.Default);
        }
        catch
        {
            await stream.CancelAsync().ConfigureAwait(false);
            _ = listening.ContinueWith(static ended => _ = ended.Exception, TaskScheduler.Default);
            throw;
        }
        finally
        {
            _acknowledgements.TryRemove(id, out _);
        }
    }

    private static JsonRpcRequest ListenRequest(string id, JsonObject wanted) => new()
    {
        Id = new RequestId(id),
        Method = MethodTable.Listen,
        Params = new JsonObject { ["notifications"] = wanted },
    };
}
