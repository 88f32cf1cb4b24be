using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Gateway;

/// <content>Who is told what without asking: list changes, updates of resources, log lines.</content>
internal sealed partial class GatewayServer
{
    private static bool IsKnownOfClients(string method) =>
        method is MethodTable.Initialized or MethodTable.Cancelled or MethodTable.Progress or MethodTable.RootsChanged;

    /// <summary>The connection that a message came over, where the gateway can tell something over it later.</summary>
    private GatewaySubscriber? ConnectionOf(MessageContext context, GuardCaller caller)
    {
        if (!ForwardsAny)
        {
            return null;
        }

        // Where nothing can be told later, over HTTP without sessions, the SDK gives no capabilities.
        string? version = context.JsonRpcMessage.Context?.ProtocolVersion ?? context.Server.NegotiatedProtocolVersion;
        return version is not null && !MethodTable.IsStateless(version) && context.Server.ClientCapabilities is { } session
            ? _audience.ConnectionOf(context.Server, session, caller)
            : null;
    }

    private async Task SetLevelAsync(JsonNode? parameters, CancellationToken ct)
    {
        if (GatewaySubscriber.Connection is not { } connection || LogLevels.RankOf(parameters) is not { } rank)
        {
            return;
        }

        connection.Level = rank;
        foreach (GatewayForward forward in _forwards)
        {
            try
            {
                await forward.SetLevelAsync(ct).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                GatewayLog.NotFollowed(_logger, forward.ServerId, failure.GetType().Name);
            }
        }
    }

    // ---- 2025-11-25 -------------------------------------------------------------------------------------------------------------------------

    public McpRequestHandler<SubscribeRequestParams, EmptyResult> FilterSubscribe(McpRequestHandler<SubscribeRequestParams, EmptyResult> next)
    {
        McpRequestHandler<SubscribeRequestParams, EmptyResult> own = Judged(RequestMethods.ResourcesSubscribe, next);
        return async (request, ct) =>
        {
            if (!ForwardsAny || request.Params?.Uri is not { } uri
                || await FindResourceAsync(request.JsonRpcRequest.Method, uri, IsOwn(request.Server, uri), ct).ConfigureAwait(false) is not { } found)
            {
                return await own(request, ct).ConfigureAwait(false);
            }

            if (GatewaySubscriber.Connection is not { } connection)
            {
                throw await RefuseAsync(
                    request.JsonRpcRequest.Method, uri, GuardDenialCodes.MethodNotAllowed, "a subscription over a connection that keeps none", "Nothing can be told over this connection later.", ct).ConfigureAwait(false);
            }

            if (connection.Subscriptions.ContainsKey(uri))
            {
                return new EmptyResult();
            }

            if (connection.Subscriptions.Count >= GatewaySubscriber.MaxSubscriptions)
            {
                throw await RefuseAsync(request.JsonRpcRequest.Method, uri, GuardDenialCodes.TooManyCalls, "too many subscriptions of one connection", null, ct).ConfigureAwait(false);
            }

            return await PassAsync(
                request,
                found.Forward,
                async _ =>
                {
                    await found.Forward.SubscribeAsync(found, ct).ConfigureAwait(false);
                    if (!connection.Subscriptions.TryAdd(uri, found))
                    {
                        await found.Forward.UnsubscribeAsync(found, ct).ConfigureAwait(false);
                    }

                    return new EmptyResult();
                },
                ct).ConfigureAwait(false);
        };
    }

    public McpRequestHandler<UnsubscribeRequestParams, EmptyResult> FilterUnsubscribe(McpRequestHandler<UnsubscribeRequestParams, EmptyResult> next)
    {
        McpRequestHandler<UnsubscribeRequestParams, EmptyResult> own = Judged(RequestMethods.ResourcesUnsubscribe, next);
        return async (request, ct) =>
        {
            if (!ForwardsAny || request.Params?.Uri is not { } uri)
            {
                return await own(request, ct).ConfigureAwait(false);
            }

            if (GatewaySubscriber.Connection is { } connection && connection.Subscriptions.TryRemove(uri, out ResourceSubscription? known))
            {
                return await PassAsync(
                    request,
                    known.Forward,
                    async _ =>
                    {
                        await known.Forward.UnsubscribeAsync(known, ct).ConfigureAwait(false);
                        return new EmptyResult();
                    },
                    ct).ConfigureAwait(false);
            }

            // Of something that the client is not subscribed to there is nothing to end.
            return IsOwn(request.Server, uri) ? await own(request, ct).ConfigureAwait(false) : new EmptyResult();
        };
    }

    // ---- 2026-07-28 -------------------------------------------------------------------------------------------------------------------------

    /// <summary>
    /// Serves <c>subscriptions/listen</c> until the client ends it. What is acknowledged is what the client will be told: resources of the servers behind for which the
    /// subscription was let through, and list changes. Updates of the gateway's own resources have no way through the SDK and are not acknowledged.
    /// </summary>
    public async ValueTask<EmptyResult> ListenAsync(RequestContext<SubscriptionsListenRequestParams> request, CancellationToken ct)
    {
        SubscriptionsListenNotifications wanted = request.Params.Notifications;
        IList<string> uris = wanted.ResourceSubscriptions ?? [];
        GuardCaller caller = AmbientCaller.Current ?? _nobody;
        var lists = new List<string>(3);
        AddWhere(wanted.ToolsListChanged, MethodTable.ToolsChanged);
        AddWhere(wanted.PromptsListChanged, MethodTable.PromptsChanged);
        AddWhere(wanted.ResourcesListChanged, MethodTable.ResourcesChanged);
        var stream = new GatewaySubscriber(request.Server, caller, request.JsonRpcRequest.Id, Runtime.Time) { Lists = lists };
        if (uris.Count > GatewaySubscriber.MaxSubscriptions || !_audience.TryAdd(stream))
        {
            throw await RefuseAsync(request.JsonRpcRequest.Method, null, GuardDenialCodes.TooManyCalls, "too many subscriptions, or streams of one caller", null, ct).ConfigureAwait(false);
        }

        EventHandler tools = (_, _) => stream.TellChanged(MethodTable.ToolsChanged);
        EventHandler prompts = (_, _) => stream.TellChanged(MethodTable.PromptsChanged);
        EventHandler resources = (_, _) => stream.TellChanged(MethodTable.ResourcesChanged);
        McpServerOptions options = request.Server.ServerOptions;
        try
        {
            var granted = new List<string>();
            foreach (string uri in uris)
            {
                if (await SubscribeStreamAsync(request, uri, stream, ct).ConfigureAwait(false))
                {
                    granted.Add(uri);
                }
            }

            var told = new JsonObject();
            foreach (string method in lists)
            {
                told[method switch
                {
                    MethodTable.ToolsChanged => "toolsListChanged",
                    MethodTable.PromptsChanged => "promptsListChanged",
                    _ => "resourcesListChanged",
                }] = true;
            }

            if (granted.Count > 0)
            {
                told["resourceSubscriptions"] = new JsonArray([.. granted.Select(static uri => JsonValue.Create(uri))]);
            }

            stream.Tell(MethodTable.SubscriptionAcknowledged, new JsonObject { ["notifications"] = told });
            stream.IsOpen = true;
            if (options.ToolCollection is { } ownTools)
            {
                ownTools.Changed += tools;
            }

            if (options.PromptCollection is { } ownPrompts)
            {
                ownPrompts.Changed += prompts;
            }

            if (options.ResourceCollection is { } ownResources)
            {
                ownResources.Changed += resources;
            }

            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using CancellationTokenRegistration registration = ct.Register(static state => ((TaskCompletionSource)state!).TrySetResult(), ended);
            await ended.Task.ConfigureAwait(false);
            return new EmptyResult();
        }
        finally
        {
            if (options.ToolCollection is { } ownTools)
            {
                ownTools.Changed -= tools;
            }

            if (options.PromptCollection is { } ownPrompts)
            {
                ownPrompts.Changed -= prompts;
            }

            if (options.ResourceCollection is { } ownResources)
            {
                ownResources.Changed -= resources;
            }

            _audience.Remove(stream);
            await _audience.EndAsync(stream.Subscriptions.Values).ConfigureAwait(false);
        }

        void AddWhere(bool? isWanted, string method)
        {
            if (isWanted == true)
            {
                lists.Add(method);
            }
        }
    }

    /// <summary>Subscribes a stream to one resource; false where that is denied or the server refuses, so that it is not acknowledged.</summary>
    private async Task<bool> SubscribeStreamAsync(RequestContext<SubscriptionsListenRequestParams> request, string uri, GatewaySubscriber stream, CancellationToken ct)
    {
        try
        {
            if (await FindResourceAsync(request.JsonRpcRequest.Method, uri, IsOwn(request.Server, uri), ct).ConfigureAwait(false) is not { } found)
            {
                // On record, and judged like any of its own; there is nothing that could be told of it.
                await using Evaluation evaluation = await EvaluateOwnAsync(request.JsonRpcRequest.Method, request.JsonRpcRequest.Params, stream.Caller, ct).ConfigureAwait(false);
                if (evaluation.IsAllowed)
                {
                    await evaluation.AbortAsync("subscription", "updates of own resources cannot be told over this stream", ct).ConfigureAwait(false);
                }

                return false;
            }

            if (!stream.Subscriptions.TryAdd(uri, found))
            {
                return false;
            }

            try
            {
                await found.Forward.SubscribeAsync(found, ct).ConfigureAwait(false);
            }
            catch
            {
                stream.Subscriptions.TryRemove(uri, out _);
                throw;
            }

            return true;
        }
        catch (Exception refused) when (refused is McpException or IOException or ObjectDisposedException)
        {
            GatewayLog.NotSubscribed(_logger, refused);
            return false;
        }
    }

    private static bool IsOwn(McpServer server, string uri) => server.ServerOptions.ResourceCollection?.Any(resource => resource.IsMatch(uri)) == true;
}
