using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mcp.Guard.Approvals;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Budgets;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ServerAdmission;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>One guarded connection. Requests are judged on the caller's way in; replies, requests and notifications of the server in a loop of its own.</summary>
internal sealed partial class GuardedTransport : ITransport
{
    /// <summary>The key under which the SDK keeps a tool definition with a message, to mirror arguments into HTTP headers (SEP-2243).</summary>
    private const string MirroredToolKey = "Mcp.Tool";

    private readonly ITransport _inner;
    private readonly ConnectionState _state;
    private readonly GuardPipeline _pipeline;
    private readonly ClientQueue _toClient = new();
    private readonly ConcurrentDictionary<RequestId, OpenCall> _open = new();
    private readonly AbandonedCalls _late = new();
    private readonly ContinuationTable _continuations = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly ObedienceWatch? _watch;
    private int _openCount;
    private string? _endReason;
    private volatile bool _lost;
    private Task _pump = Task.CompletedTask;
    private int _disposed;
    private int _innerClosed;

    public GuardedTransport(ITransport inner, ConnectionState state)
    {
        _inner = inner;
        _state = state;
        _pipeline = state.Runtime.Pipeline;
        _notificationRate = new NotificationRate(_pipeline.Time);
        _flood = new(state.Runtime.Flood, _pipeline.Time);
        _state.ListTools = ListToolsAsync;
        _state.NamesKey = state.ConnectionId;
        _state.AnnounceTools = AnnounceTools;
        _state.OwnsProgressToken = OwnsProgressToken;
        if (inner is ILaunchedServer launched)
        {
            launched.OnOverLimit(EndOverLimit);
            _watch = new ObedienceWatch(_pipeline.Time, ProbeAsync, () => _pipeline.Gate.IsBlocked(_state.Server.Id), EndDisobedient);
        }
    }

    public string? SessionId => _inner.SessionId;

    public ChannelReader<JsonRpcMessage> MessageReader => _toClient;

    /// <summary>What was refused of the server's messages.</summary>
    public RefusalCounts Refused { get; } = new();

    public ConnectionState State => _state;

    /// <summary>What was cut off below the SDK; null where the host made the transport.</summary>
    public ReplyBounds? Bounds { get; init; }

    /// <summary>
    /// Takes judged notifications of the server in the client's place, in the order in which they came, and before a reply that came after them: the client of
    /// the SDK keeps no order. False where the client is to have one. Must not wait. Null where the client has all.
    /// </summary>
    public Func<JsonRpcNotification, bool>? Relay { get; init; }

    /// <summary>Calls that asked back and wait for their retry.</summary>
    public int WaitingContinuations => _continuations.Count;

    /// <summary>Calls that ended before their reply; of the newest only.</summary>
    public int AbandonedCalls => _late.Count;

    /// <summary>Whether every notification that came so far is judged.</summary>
    public bool IsQuiet => _notifications.Drained.IsCompleted;

    /// <summary>Requests that are being judged or wait for their reply.</summary>
    public int OpenCalls => _open.Count;

    /// <summary>Starts the loop over the server's messages, with no ambient context: nothing of whoever connected may reach another caller's handlers.</summary>
    public void Start()
    {
        _state.Runtime.Connections.Add(this);
        using (ExecutionContext.SuppressFlow())
        {
            _pump = Task.Run(PumpAsync);
        }
    }

    public Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        return message switch
        {
            JsonRpcRequest request => SendRequestAsync(request, cancellationToken),
            JsonRpcNotification notification => SendNotificationAsync(notification, cancellationToken),
            JsonRpcResponse or JsonRpcError => SendAnswerAsync((JsonRpcMessageWithId)message, cancellationToken),
            _ => throw Local(GuardDenialCodes.MethodNotAllowed),
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _state.Runtime.Connections.Remove(this);
        _state.Runtime.Names.Remove(_state);
        await _closing.CancelAsync().ConfigureAwait(false);
        _watch?.Dispose();
        await CloseInnerAsync().ConfigureAwait(false);
        await _pump.ConfigureAwait(false);
        _closing.Dispose();
    }

    private ValueTask CloseInnerAsync() => Interlocked.Exchange(ref _innerClosed, 1) == 0 ? _inner.DisposeAsync() : default;

    /// <summary>Ends the running calls that a stop covers.</summary>
    public void EndCovered(Halt halt)
    {
        foreach (OpenCall call in _open.Values)
        {
            if (call.Context is { } context && halt.Scope.Covers(_state.Server.Id, context.TargetName, call.Caller.UserId))
            {
                _ = EndRunningAsync(call, "halted", GuardDenialCodes.Halted, "a stop was set while the call ran");
            }
        }
    }

    private static McpGuardException Local(string code) => new(code, string.Empty, retryAfter: null);

    // ---- client to server -------------------------------------------------------------------------------------------------------------------

    private async Task SendRequestAsync(JsonRpcRequest request, CancellationToken ct)
    {
        if (string.Equals(request.Method, MethodTable.ToolsList, StringComparison.Ordinal))
        {
            ConnectionProbe.Report(_state);
        }

        GuardCaller caller = AmbientCaller.Current ?? _state.ConnectionCaller;
        var call = new OpenCall(request.Id, caller, ExecutionContext.Capture());
        if (_lost)
        {
            throw Local(GuardDenialCodes.ServerUnavailable);
        }

        if (request.Id.Id is null || !TryOpen(call, MessageLimits.MaxOpenCalls))
        {
            throw Local(request.Id.Id is null ? GuardDenialCodes.ArgumentsMalformed : GuardDenialCodes.TooManyCalls);
        }

        bool forwarded = false;
        try
        {
            RequestContext context = CreateContext(request, caller);
            call.Context = context;
            context.CallerFlow = call.ExecutionContext;
            await ResolveNameAsync(request, context, ct).ConfigureAwait(false);
            JoinChain(context);
            var evaluation = (Evaluation)await _pipeline.EvaluateAsync(context, ct).ConfigureAwait(false);
            call.Evaluation = evaluation;
            if (evaluation.Denial is { } denial)
            {
                Forget(call);
                DeliverDenial(call, denial);
                return;
            }

            if (call.Context.Kind != RequestKind.ToolCall)
            {
                call.Answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            TrackSubscriptions(context);
            call.ProgressToken = ProgressTokenOf(evaluation.Payload);
            JsonRpcRequest outgoing = Outgoing(request, context, evaluation.Payload);
            forwarded = true;
            call.MarkForwarded();
            if (_lost && call.TryTake())
            {
                // The connection ended between the judgement and here: nobody reads a reply any more, nor what is written for the client.
                Forget(call);
                throw DenialText.Exception(
                    await EndRecordedAsync(call, "failed", GuardDenialCodes.ServerUnavailable, "the connection has ended").ConfigureAwait(false), context.DecisionId);
            }

            call.Arm(_pipeline.Time, evaluation.TimeLimits, OnTimeout);
            if (call.Answered is null)
            {
                // Nothing here waits for the reply of a tool call, and the SDK does not say that its caller gave up: McpSessionHandler.SendRequestAsync (2.2 and
                // later) registers the callback that sends notifications/cancelled before the wait on the same token. A token calls back in the reverse
                // order, so the wait ends first, its continuation runs in place and takes the callback back. The caller's own token ends the call.
                call.EndWith(OnCancelled, ct);
            }

            if (_state.Runtime.Halts.Find(_state.Server.Id, context.TargetName, caller.UserId) is not null)
            {
                // A stop that was set between its stage and here found no open call to end.
                await EndRunningAsync(call, "halted", GuardDenialCodes.Halted, "a stop was set while the call was judged").ConfigureAwait(false);
                if (call.Answered is { } stopped)
                {
                    await stopped.Task.ConfigureAwait(false);
                }

                return;
            }

            await ForwardAsync(call, outgoing, ct).ConfigureAwait(false);
            if (call.Answered is { } answered)
            {
                await answered.Task.WaitAsync(ct).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await EndRunningAsync(call, "cancelled", GuardDenialCodes.Timeout, "the caller cancelled").ConfigureAwait(false);
            throw;
        }
        finally
        {
            if (!forwarded)
            {
                Forget(call);
                if (call.Evaluation is { } unsent)
                {
                    // An intent may be on record: it gets its outcome, and the call's slot is free.
                    await unsent.DisposeAsync().ConfigureAwait(false);
                }
            }
        }
    }

    /// <summary>Counts the call against the call that caused it, where it is made inside a sampling request.</summary>
    private void JoinChain(RequestContext context)
    {
        CallChain? cause = CallChain.Current ?? _state.Runtime.SamplingInputs.CauseOf(context.Caller, _pipeline.Time);
        if (context.Continues is { } continues)
        {
            context.Chain = continues.Chain;
        }
        else if (context.Kind != RequestKind.ToolCall)
        {
            context.Chain = cause ?? CallChain.NewRoot();
        }
        else if (CallChain.ForCall(cause, CallChainLimits.Of(context.Settings)) is { } chain)
        {
            context.Chain = chain;
        }
        else
        {
            context.Refusal ??= new GuardDenial(GuardDenialCodes.BudgetSpent, GuardStages.Budgets, "the call that started this has caused as many calls through sampling as it may");
        }
    }

    private void TrackSubscriptions(RequestContext context)
    {
        switch (context.Method)
        {
            case MethodTable.ResourcesSubscribe:
                _state.Subscriptions.TryAdd(context.TargetName!);
                break;
            case MethodTable.ResourcesUnsubscribe:
                _state.Subscriptions.Remove(context.TargetName!);
                break;
            case MethodTable.Listen:
                foreach (string uri in Subscriptions.UrisOf(context.Current))
                {
                    _state.Subscriptions.TryAdd(uri);
                }

                break;
        }
    }

    private async Task ForwardAsync(OpenCall call, JsonRpcRequest outgoing, CancellationToken ct)
    {
        ReplyBounds.Mark? mark = Bounds is { PerRequest: true } ? ReplyBounds.Begin() : null;
        try
        {
            // Throws where the connection was disposed of while the call was judged: a failure to send like any other.
            using CancellationTokenSource sending = call.BeginSending(ct, _closing.Token);
            await _inner.SendMessageAsync(outgoing, sending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception failure)
        {
            // Its text may be the server's (an HTTP error body, a standard-error tail): only its type goes on, and the cleaned text into the log.
            HostingLog.TransportFailed(_pipeline.Logger, _state.Server.Id, ServerText.Describe(failure));
            if (call.TryTake())
            {
                Forget(call);
                var (decision, code, reason) = mark is { IsSet: true }
                    ? ("deny", GuardDenialCodes.ResultTooLarge, "the response was cut off at the limit of bytes")
                    : UrlRefusedException.In(failure) is { } refused
                        ? ("deny", GuardDenialCodes.UrlNotAllowed, refused.Verdict.Message)
                        : ("failed", GuardDenialCodes.ServerUnavailable, $"the transport failed to send ({failure.GetType().Name})");
                GuardDenial denial = await EndRecordedAsync(call, decision, code, reason).ConfigureAwait(false);
                if (code == GuardDenialCodes.UrlNotAllowed)
                {
                    denial = new GuardDenial(code, denial.Stage, reason, "The address of the server, or one that it redirected to, is not permitted.");
                }

                if (decision == "failed" && call.Context!.Kind == RequestKind.Lifecycle && NegotiationFault.TryCopy(failure) is { } signal)
                {
                    throw signal;
                }

                DeliverDenial(call, denial);
            }

            if (call.Answered is { } answered)
            {
                await answered.Task.ConfigureAwait(false);
            }
        }
    }

    /// <summary>The message that leaves: the judged value under the caller's id and context, from which the SDK derives HTTP headers.</summary>
    private static JsonRpcRequest Outgoing(JsonRpcRequest request, RequestContext context, JsonElement payload) => new()
    {
        Id = request.Id,
        Method = request.Method,
        Params = payload.ValueKind == JsonValueKind.Undefined ? null : JsonObject.Create(payload),
        Context = OutgoingContext(request.Context, context.Settings is { AllowHeaderMirroring: true }, context.TargetName),
    };

    private static JsonRpcMessageContext? OutgoingContext(JsonRpcMessageContext? given, bool mirrors, string? judgedName = null)
    {
        if (given is null)
        {
            return null;
        }

        IDictionary<string, object?>? items = given.Items;
        if (!mirrors && items is not null && items.ContainsKey(MirroredToolKey))
        {
            // Arguments are mirrored into HTTP headers only with the policy's word: headers are logged by every proxy on the way.
            items = new Dictionary<string, object?>(items, StringComparer.Ordinal);
            items.Remove(MirroredToolKey);
        }

        return new JsonRpcMessageContext
        {
            User = given.User,
            Items = items,
            ProtocolVersion = given.ProtocolVersion,
            ClientInfo = given.ClientInfo,
            ClientCapabilities = given.ClientCapabilities,
            LogLevel = given.LogLevel,
#pragma warning disable MCPEXP002 // Experimental in the SDK; left out it would change the Mcp-Name header.
            RoutingName = given.RoutingName is null ? null : judgedName ?? given.RoutingName,
#pragma warning restore MCPEXP002
        };
    }

    private RequestContext CreateContext(JsonRpcRequest request, GuardCaller caller)
    {
        RequestContext context = _state.CreateRequest(request.Method, caller);
        if (!MessageSnapshot.TryTakeRequest(request.Params, out RequestPayload payload, out string fault))
        {
            context.Fault = fault;
            return context;
        }

        payload = MetaFilter.ToServer(payload, context.Settings);
        if (payload.MetaTextOf("io.modelcontextprotocol/protocolVersion"u8) is { } version && MethodTable.IsStateless(version))
        {
            _state.ProtocolVersion = version;
        }

        context.SetPayload(payload);
        ArgumentRedaction.Apply(context);
        return context;
    }

    /// <summary>Turns a name under which a tool was listed into its exact one, which everything after this is about.</summary>
    private async ValueTask ResolveNameAsync(JsonRpcRequest request, RequestContext context, CancellationToken ct)
    {
#pragma warning disable MCPEXP002 // Experimental in the SDK; it decides the Mcp-Name header and must not name something else than was judged.
        if (request.Context?.RoutingName is { } routed && !string.Equals(routed, context.TargetName, StringComparison.Ordinal))
        {
            context.Fault ??= "the routing name differs from the judged name";
        }
#pragma warning restore MCPEXP002

        if (context is { Kind: RequestKind.ToolCall, Fault: null })
        {
            if (_state.Tools.IsStale && QualifiedToolName.MayBeOf(_state.Server.Id, context.TargetName!))
            {
                try
                {
                    await _state.Tools.ListAsync(context, ct).ConfigureAwait(false);
                }
                catch (McpGuardException unlisted)
                {
                    // The stages list again and deny; here only a name is looked for.
                    PipelineLog.MessageFault(_pipeline.Logger, _state.Server.Id, unlisted);
                }
            }

            context.UseExactName();
        }

        if (context.Fault is null && ContinuationTable.IsContinuation(context.Parameters))
        {
            _continuations.Bind(context, _pipeline.Time.GetUtcNow());
            await ContinuedAnswers.JudgeAsync(this, context).ConfigureAwait(false);
        }
    }

    /// <summary>The guard's own word to the client: what was listed changed, because a person decided or another server has the same names.</summary>
    private void AnnounceTools()
    {
        var changed = new JsonRpcNotification { Method = MethodTable.ToolsChanged, Context = new JsonRpcMessageContext { ExecutionContext = CleanContext } };
        if (Relay?.Invoke(changed) != true)
        {
            Deliver(changed);
        }
    }

    private async Task SendNotificationAsync(JsonRpcNotification notification, CancellationToken ct)
    {
        switch (notification.Method)
        {
            case MethodTable.Initialized:
            case MethodTable.RootsChanged:
                break;

            case MethodTable.Cancelled:
                if (RequestIdOf(notification.Params) is not { } cancelledId || !_open.TryGetValue(cancelledId, out OpenCall? call))
                {
                    return; // of no open call: nothing that the server could act on
                }

                await EndRunningAsync(call, "cancelled", GuardDenialCodes.Timeout, "the caller cancelled").ConfigureAwait(false);
                return;

            case MethodTable.Progress:
                if (!_serverRequests.OwnsProgress(notification.Params))
                {
                    return;
                }

                break;

            default:
                await RecordRefusedAsync(notification.Method, ct).ConfigureAwait(false);
                throw Local(GuardDenialCodes.MethodNotAllowed);
        }

        if (!MessageSnapshot.TryTake(notification.Params, MessageLimits.MaxRequestBytes, out JsonElement payload, out _))
        {
            throw Local(GuardDenialCodes.ArgumentsMalformed);
        }

        payload = MetaFilter.ToServer(payload, _state.Settings(_state.Policy));
        var outgoing = new JsonRpcNotification
        {
            Method = notification.Method,
            Params = payload.ValueKind == JsonValueKind.Object ? JsonObject.Create(payload) : null,
            Context = OutgoingContext(notification.Context, mirrors: false),
        };
        await SendInnerAsync(outgoing, ct).ConfigureAwait(false);
    }

    /// <summary>Sends what belongs to no call. The text of a failure may be the server's (an HTTP error body): the host gets the guard's own exception.</summary>
    private async Task SendInnerAsync(JsonRpcMessage message, CancellationToken ct)
    {
        try
        {
            await _inner.SendMessageAsync(message, ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception failure)
        {
            HostingLog.TransportFailed(_pipeline.Logger, _state.Server.Id, ServerText.Describe(failure));
            throw message is JsonRpcNotification { Method: MethodTable.Initialized } && NegotiationFault.TryCopy(failure) is { } signal
                ? signal
                : Local(GuardDenialCodes.ServerUnavailable);
        }
    }

    private ValueTask RecordRefusedAsync(string method, CancellationToken ct)
    {
        GuardCaller caller = AmbientCaller.Current ?? _state.ConnectionCaller;
        return _pipeline.Audit.WriteEventAsync(
            new AuditRecord
            {
                Kind = AuditKind.Denial,
                Time = _pipeline.Time.GetUtcNow(),
                DecisionId = DecisionIds.Next(_pipeline.Time),
                UserId = caller.UserId,
                SessionId = caller.SessionId,
                Server = _state.Server.Id,
                Method = method,
                Decision = "deny",
                Code = GuardDenialCodes.MethodNotAllowed,
                Stage = GuardStages.Methods,
                Reason = "a notification of the client that is not in the method table",
                PolicyRevision = _state.Policy.Revision,
            },
            ct);
    }

    // ---- ends of calls ----------------------------------------------------------------------------------------------------------------------

    private void OnCancelled(object? state) =>
        _ = EndRunningAsync((OpenCall)state!, "cancelled", GuardDenialCodes.Timeout, "the caller cancelled");

    private void OnTimeout(object? state) =>
        _ = EndRunningAsync((OpenCall)state!, "timeout", GuardDenialCodes.Timeout, "the time for the call is over");

    /// <summary>Ends a forwarded call before its reply: the caller gets the denial at once, the server is told to stop, a later reply is dropped.</summary>
    private async Task EndRunningAsync(OpenCall call, string decision, string code, string reason)
    {
        if (!call.TryTake())
        {
            return;
        }

        Forget(call);
        RequestContext context = call.Context!;
        _late.Add(new AbandonedCall(call.Id, call.Caller, context.DecisionId, context.Method, context.TargetName, call.ProgressToken, call.Evaluation!.Lease));
        try
        {
            GuardDenial denial = await EndRecordedAsync(call, decision, code, reason, stillRuns: true).ConfigureAwait(false);
            Task stopping = StopAtServerAsync(call, isWatched: code is GuardDenialCodes.Halted || decision is "timeout");

            // Whoever waits for the answer goes on in the thread that brings it, where a client that does not read may hold it up: not before the server is told to
            // stop, and in no thread that still has other calls to end.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            DeliverDenial(call, denial);
            await stopping.ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            PipelineLog.MessageFault(_pipeline.Logger, _state.Server.Id, fault);
        }
    }

    /// <summary>Records how a call without a reply ended. Where that fails, the caller is told that the call may have happened; nothing is thrown.</summary>
    private async Task<GuardDenial> EndRecordedAsync(OpenCall call, string decision, string code, string reason, bool stillRuns = false)
    {
        try
        {
            return await call.Evaluation!.EndIfOpenAsync(decision, code, reason, stillRuns).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            PipelineLog.AuditFailed(_pipeline.Logger, AuditKind.Outcome, call.Context!.DecisionId, failure);
            return Unrecorded(failure);
        }
    }

    private static GuardDenial Unrecorded(Exception failure) => new(
        GuardDenialCodes.AuditUnavailable,
        "audit",
        $"the outcome could not be recorded ({failure.GetType().Name})",
        "The call may have been carried out, but its outcome could not be recorded, so it is not shown. Do not repeat it without checking.");

    private async Task StopAtServerAsync(OpenCall call, bool isWatched)
    {
        await CancelAtServerAsync(call).ConfigureAwait(false);
        if (_watch is not null && isWatched)
        {
            // Not for what a caller cancels: nobody may end a server, and with it other callers' calls, by asking and not waiting.
            _watch.GaveUp(call.ProgressToken, [.. _open.Values.Where(static open => open.IsForwarded && open.Context!.Kind != RequestKind.Subscription)]);
        }
    }

    private async Task CancelAtServerAsync(OpenCall call)
    {
        if (!string.Equals(call.Context!.Method, MethodTable.Initialize, StringComparison.Ordinal))
        {
            var cancelled = new JsonRpcNotification
            {
                Method = MethodTable.Cancelled,
                Params = new JsonObject { ["requestId"] = IdNode(call.Id) },
            };
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), _pipeline.Time);
            try
            {
                await _inner.SendMessageAsync(cancelled, limit.Token).ConfigureAwait(false);
            }
            catch (Exception unreachable) when (unreachable is IOException or OperationCanceledException or HttpRequestException or McpException or ObjectDisposedException or InvalidOperationException)
            {
                // The server is told out of courtesy; the call has ended for the caller either way.
                string failure = ServerText.Describe(unreachable);
                PipelineLog.CancelNotSent(_pipeline.Logger, _state.Server.Id, failure);
            }
        }

        await call.StopSendingAsync().ConfigureAwait(false);
    }

    /// <summary>Asks a launched server for any answer at all.</summary>
    private async Task ProbeAsync(RequestId id)
    {
        using var limit = new CancellationTokenSource(ObedienceWatch.Grace, _pipeline.Time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _closing.Token);
        await _inner.SendMessageAsync(new JsonRpcRequest { Id = id, Method = MethodTable.Ping }, both.Token).ConfigureAwait(false);
    }

    private void EndDisobedient(string reason)
    {
        PipelineLog.ServerEnded(_pipeline.Logger, _state.Server.Id, reason);
        _ = DisconnectAsync(GuardDenialCodes.Timeout, reason);
    }

    private void EndOverLimit(string reason)
    {
        _state.Runtime.OverLimit.Add(_state.Server.Id, _pipeline.Time.GetUtcNow());
        _ = DisconnectAsync(GuardDenialCodes.ServerUnavailable, reason);
    }

    /// <summary>
    /// The one way in which the guard ends a connection by its own decision, once: because the server floods, or because it was launched by the guard and
    /// does not obey. The open calls fail, the host sees the transport close, and the processes that the guard launched end at once.
    /// </summary>
    private async Task DisconnectAsync(string code, string reason)
    {
        if (Interlocked.CompareExchange(ref _endReason, reason, null) is not null)
        {
            return;
        }

        try
        {
            // Neither the end of the connection nor that of the processes waits for the record of it.
            Task closing = _closing.CancelAsync();
            Task ending = _inner is ILaunchedServer launched ? launched.EndAsync(atOnce: true) : Task.CompletedTask;
            await closing.ConfigureAwait(false);
            await _pipeline.Audit.WriteEventAsync(
                new AuditRecord
                {
                    Kind = AuditKind.Connection,
                    Time = _pipeline.Time.GetUtcNow(),
                    SessionId = _state.ConnectionId,
                    Server = _state.Server.Id,
                    Method = "disconnect",
                    Target = _state.Server.Endpoint,
                    Decision = "end",
                    Code = code,
                    Reason = Refused.Total is > 0 and var refused ? $"{reason}; {refused} messages were refused on this connection" : reason,
                    PolicyRevision = _state.Policy.Revision,
                },
                CancellationToken.None).ConfigureAwait(false);
            await ending.ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            PipelineLog.MessageFault(_pipeline.Logger, _state.Server.Id, fault);
        }
    }

    private void DeliverDenial(OpenCall call, GuardDenial denial)
    {
        RequestContext context = call.Context!;
        if (call.Answered is { } answered)
        {
            answered.TrySetException(DenialText.Exception(denial, context.DecisionId));
            _ = answered.Task.Exception; // seen: the sender may have given up waiting
            return;
        }

        if (context.Kind != RequestKind.ToolCall)
        {
            throw DenialText.Exception(denial, context.DecisionId);
        }

        Deliver(new JsonRpcResponse { Id = call.Id, Result = DenialText.ToolResult(denial, context.DecisionId, MethodTable.IsStateless(_state.ProtocolVersion)) });
    }

    private void Deliver(JsonRpcMessage message) => _toClient.Write(message);

    /// <summary>False where more than <paramref name="most"/> calls would be open, or the id is in use. Counted here: the dictionary takes all its locks to count.</summary>
    private bool TryOpen(OpenCall call, int most)
    {
        if (Interlocked.Increment(ref _openCount) <= most && _open.TryAdd(call.Id, call))
        {
            return true;
        }

        Interlocked.Decrement(ref _openCount);
        return false;
    }

    private void Forget(OpenCall call)
    {
        if (_open.TryRemove(KeyValuePair.Create(call.Id, call)))
        {
            Interlocked.Decrement(ref _openCount);
        }

        call.Dispose();
    }

    // ---- the guard's own requests -----------------------------------------------------------------------------------------------------------

    /// <summary>Lists the tools for the guard itself, so that a call to a tool that the host has not listed can be judged.</summary>
    private async Task ListToolsAsync(RequestContext cause, CancellationToken ct)
    {
        const int maxPages = 64;
        string? cursor = null;
        for (int page = 0; page < maxPages; page++)
        {
            RequestContext own = _state.CreateOwnListRequest(cause, cursor);
            var id = new RequestId($"guard-{Guid.NewGuid():N}");
            var call = new OpenCall(id, own.Caller, null) { Context = own, Answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) };
            if (!TryOpen(call, most: int.MaxValue))
            {
                throw Local(GuardDenialCodes.GuardFault);
            }

            try
            {
                var evaluation = (Evaluation)await _pipeline.EvaluateAsync(own, ct).ConfigureAwait(false);
                call.Evaluation = evaluation;
                if (evaluation.Denial is { } denial)
                {
                    throw DenialText.Exception(denial, own.DecisionId);
                }

                call.IsOwn = true;
                call.MarkForwarded();
                if (_lost && call.TryTake())
                {
                    await EndRecordedAsync(call, "failed", GuardDenialCodes.ServerUnavailable, "the connection has ended").ConfigureAwait(false);
                    throw Local(GuardDenialCodes.ServerUnavailable);
                }

                call.Arm(_pipeline.Time, evaluation.TimeLimits, OnTimeout);
                var outgoing = new JsonRpcRequest
                {
                    Id = id,
                    Method = own.Method,
                    Params = own.Current.ValueKind == JsonValueKind.Undefined ? null : JsonObject.Create(own.Current),
                    Context = new JsonRpcMessageContext { ProtocolVersion = _state.ProtocolVersion },
                };
                await ForwardAsync(call, outgoing, ct).ConfigureAwait(false);
                await call.Answered.Task.WaitAsync(ct).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                await EndRunningAsync(call, "cancelled", GuardDenialCodes.Timeout, "the caller cancelled").ConfigureAwait(false);
                throw;
            }
            finally
            {
                Forget(call);
            }

            cursor = own.NextCursor;
            if (cursor is null)
            {
                return;
            }
        }

        // A list without an end is none: nothing can be called by it.
        throw Local(GuardDenialCodes.ResultTooLarge);
    }

    private bool OwnsProgressToken(string token) => OwnerOf(token) is not null;

    private OpenCall? OwnerOf(string token)
    {
        foreach (OpenCall call in _open.Values)
        {
            // A call whose reply waits behind this very notification counts too.
            if (call.HasLeft && string.Equals(call.ProgressToken, token, StringComparison.Ordinal))
            {
                return call;
            }
        }

        return null;
    }

    // ---- small readers ----------------------------------------------------------------------------------------------------------------------

    private static string? ProgressTokenOf(JsonElement payload) =>
        payload.ValueKind == JsonValueKind.Object
        && payload.TryGetProperty("_meta"u8, out JsonElement meta)
        && meta.ValueKind == JsonValueKind.Object
        && meta.TryGetProperty("progressToken"u8, out JsonElement token)
        && token.ValueKind is JsonValueKind.String or JsonValueKind.Number
            ? token.GetRawText()
            : null;

    private static JsonValue IdNode(RequestId id) => id.Id is long number ? JsonValue.Create(number) : JsonValue.Create(id.ToString());

    private static RequestId? RequestIdOf(JsonNode? parameters)
    {
        if (!MessageSnapshot.TryTake(parameters, MessageLimits.MaxRequestBytes, out JsonElement payload, out _)
            || payload.ValueKind != JsonValueKind.Object
            || !payload.TryGetProperty("requestId"u8, out JsonElement id))
        {
            return null;
        }

        return id.ValueKind switch
        {
            JsonValueKind.String => new RequestId(id.GetString()!),
            JsonValueKind.Number when id.TryGetInt64(out long number) => new RequestId(number),
            _ => null,
        };
    }
}
