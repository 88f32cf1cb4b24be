using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Budgets;
using Mcp.Guard.Stages.ServerRequests;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <content>The server to client half: replies, requests and notifications of the server.</content>
internal sealed partial class GuardedTransport
{
    private const int MaxRecordedMethod = 128;

    /// <summary>MCP 2025-11-25, client/elicitation: an error whose data lists elicitations by URL, a request of the server in disguise.</summary>
    private const int UrlElicitationRequired = -32042;

    private static readonly ExecutionContext CleanContext = CaptureClean();

    private static readonly TimeSpan MaxWaitForNotifications = TimeSpan.FromSeconds(2);

    private readonly ServerRequestTable _serverRequests = new();
    private readonly NotificationQueue _notifications = new();
    private readonly NotificationRate _notificationRate;
    private readonly ServerFlood _flood;
    private int _answering;

    private static ExecutionContext CaptureClean()
    {
        ExecutionContext? clean = null;
        using (ExecutionContext.SuppressFlow())
        {
            Task.Run(() => clean = ExecutionContext.Capture()).GetAwaiter().GetResult();
        }

        return clean!;
    }

    private async Task PumpAsync()
    {
        Exception? end = null;
        try
        {
            if (_inner is ILaunchedServer { Messages: { } source })
            {
                await source.ReadAllAsync(message => ReceiveSafely(message, isBehind: false), _closing.Token).ConfigureAwait(false);
            }
            else
            {
                ChannelReader<JsonRpcMessage> reader = _inner.MessageReader;
                while (await reader.WaitToReadAsync(_closing.Token).ConfigureAwait(false))
                {
                    while (!_closing.IsCancellationRequested && reader.TryRead(out JsonRpcMessage? message))
                    {
                        ReceiveSafely(message, isBehind: reader.CanCount && reader.Count > MessageLimits.MaxUnreadMessages);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // Told below.
        }
        catch (Exception failure)
        {
            end = TransportEnd.Of(_state.Server.Id, failure);
        }

        if (Volatile.Read(ref _endReason) is { } reason)
        {
            end = new IOException($"The connection to the server '{_state.Server.Id}' was ended by the guard: {reason}.");
        }

        _lost = true;
        foreach (OpenCall call in _open.Values)
        {
            if (call.TryTake())
            {
                Forget(call);
                await EndLostAsync(call).ConfigureAwait(false);
            }
        }

        _toClient.TryComplete(end);
        _state.Runtime.Connections.Remove(this);
        _watch?.Dispose();
        if (_endReason is not null)
        {
            await EndInnerAsync().ConfigureAwait(false);
        }
        else if (_inner is ILaunchedServer launched)
        {
            // Without its connection the process is of no use, and must be gone before the slots of its abandoned calls are free.
            await launched.EndAsync(atOnce: false).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        foreach (AbandonedCall given in _late.TakeAll())
        {
            given.Lease?.Dispose();
        }
    }

    /// <summary>A fault while judging one message fails that message, never the loop.</summary>
    private void ReceiveSafely(JsonRpcMessage message, bool isBehind)
    {
        try
        {
            if (isBehind && message is JsonRpcNotification behind)
            {
                Drop(behind, "more notifications than can be read");
            }
            else
            {
                Receive(message);
            }
        }
        catch (Exception fault)
        {
            PipelineLog.MessageFault(_pipeline.Logger, _state.Server.Id, fault);
        }
    }

    private async Task EndLostAsync(OpenCall call)
    {
        try
        {
            var (code, reason) = _endReason is { } why
                ? (GuardDenialCodes.ServerUnavailable, $"the guard ended the connection: {why}")
                : Bounds is { ConnectionExceeded: true }
                    ? (GuardDenialCodes.ResultTooLarge, "the server sent a message over the limit of bytes, which ended the connection")
                    : (GuardDenialCodes.ServerUnavailable, "the connection ended before the reply");
            DeliverDenial(call, await EndRecordedAsync(call, "failed", code, reason).ConfigureAwait(false));
        }
        catch (Exception fault)
        {
            PipelineLog.MessageFault(_pipeline.Logger, _state.Server.Id, fault);
        }
    }

    /// <summary>Ends a server that the guard disconnected: its stream too, or it would go on filling what the system buffers.</summary>
    private async Task EndInnerAsync()
    {
        try
        {
            await CloseInnerAsync().ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            PipelineLog.MessageFault(_pipeline.Logger, _state.Server.Id, fault);
        }
    }

    private void Receive(JsonRpcMessage message)
    {
        switch (message)
        {
            case JsonRpcResponse response:
                ReceiveReply(response.Id, response.Result, isError: false, error: null);
                break;
            case JsonRpcError failure:
                ReceiveReply(failure.Id, null, isError: true, failure.Error);
                break;
            case JsonRpcRequest request when Interlocked.Increment(ref _answering) <= MessageLimits.MaxUnansweredServerRequests:
                _ = HandleServerRequestAsync(request);
                break;
            case JsonRpcRequest:
                Interlocked.Decrement(ref _answering);
                Refuse(RefusalReason.Overflow, "more requests of the server than are judged at the same time");
                break;
            case JsonRpcNotification notification:
                ReceiveNotification(notification);
                break;
        }
    }

    // ---- replies ----------------------------------------------------------------------------------------------------------------------------

    private void ReceiveReply(RequestId id, JsonNode? result, bool isError, JsonRpcErrorDetail? error)
    {
        if (id.Id is not null && _watch?.OnReply(id) == true)
        {
            return;
        }

        if (id.Id is null || !_open.TryGetValue(id, out OpenCall? call))
        {
            if (id.Id is not null && _late.TryTake(id) is { } given)
            {
                given.Lease?.Dispose();
                _watch?.OnLife();
                _watch?.Forget(given.ProgressToken);
                _ = RecordLateAsync(given);
                return;
            }

            Refuse(RefusalReason.UnknownReply, "a reply to no open request");
            return;
        }

        if (!call.TryTake())
        {
            Refuse(RefusalReason.EarlyReply, "a reply to a request that was not sent");
            return;
        }

        _watch?.OnLife();
        Task before = _notifications.Drained;
        if (before.IsCompleted)
        {
            Forget(call);
            _ = CompleteAsync(call, result, isError, error);
        }
        else
        {
            _ = CompleteAfterAsync(before, call, result, isError, error);
        }
    }

    /// <summary>What the server told of a call before its reply is still of an open call, and reaches the host before the reply; but no stage holds a reply back for long.</summary>
    private async Task CompleteAfterAsync(Task before, OpenCall call, JsonNode? result, bool isError, JsonRpcErrorDetail? error)
    {
        await before.WaitAsync(MaxWaitForNotifications, _pipeline.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Forget(call);
        await CompleteAsync(call, result, isError, error).ConfigureAwait(false);
    }

    /// <summary>Each late reply is recorded, under the decision of its call: there are as many as calls at most.</summary>
    private async Task RecordLateAsync(AbandonedCall given)
    {
        const string what = "a reply to a call that was given up";
        long count = Refused.Add(RefusalReason.LateReply);
        if (long.IsPow2(count))
        {
            PipelineLog.ServerMessageRefused(_pipeline.Logger, _state.Server.Id, what, count);
        }

        await _pipeline.Audit.WriteEventAsync(
            new AuditRecord
            {
                Kind = AuditKind.ServerMessage,
                Time = _pipeline.Time.GetUtcNow(),
                DecisionId = given.DecisionId,
                UserId = given.Caller.UserId,
                SessionId = given.Caller.SessionId,
                Server = _state.Server.Id,
                Method = given.Method,
                Target = given.Target,
                Decision = "drop",
                Code = nameof(RefusalReason.LateReply),
                Reason = what,
                PolicyRevision = _state.Policy.Revision,
            },
            CancellationToken.None).ConfigureAwait(false);
    }

    private async Task CompleteAsync(OpenCall call, JsonNode? result, bool isError, JsonRpcErrorDetail? error)
    {
        RequestContext context = call.Context!;
        Evaluation evaluation = call.Evaluation!;
        try
        {
            if (!evaluation.TryEnd())
            {
                return;
            }

            JsonNode? text = isError ? ErrorNode(error!) : result;
            GuardDenial? denial = null;
            JsonElement answer = default;
            if (!MessageSnapshot.TryTake(text, MessageLimits.MaxResultBytes, out answer, out string fault))
            {
                denial = new GuardDenial(GuardDenialCodes.ResultInvalid, GuardStages.ResultLimit, fault);
            }
            else if (answer.ValueKind != JsonValueKind.Object)
            {
                denial = new GuardDenial(GuardDenialCodes.ResultInvalid, GuardStages.ResultLimit, "the result is not an object");
            }
            else if (!isError)
            {
                answer = MetaFilter.FromServer(answer, context.Settings);
                denial = Observe(context, answer);
                if (denial is null && ResultTypes.IsInputRequired(answer))
                {
                    await CompleteInputRequiredAsync(call, answer).ConfigureAwait(false);
                    return;
                }
            }

            if (isError && error!.Code == UrlElicitationRequired)
            {
                denial ??= new GuardDenial(GuardDenialCodes.ServerRequestRefused, GuardStages.ServerRequests, "the server wants addresses opened through an error, where they are not judged");
            }

            if (denial is not null)
            {
                await evaluation.EndAsync("deny", denial.Code, denial.Reason).ConfigureAwait(false);
                DeliverDenial(call, denial);
                return;
            }

            GuardResult judged = await evaluation.FinishAsync(answer, isError, CancellationToken.None).ConfigureAwait(false);
            if (judged.Denial is { } refused)
            {
                DeliverDenial(call, refused);
                return;
            }

            DeliverReply(call, judged.Payload, isError);
        }
        catch (Exception failure)
        {
            // The outcome could not be recorded, or the guard failed: the caller must learn that the call may have happened.
            PipelineLog.AuditFailed(_pipeline.Logger, AuditKind.Outcome, context.DecisionId, failure);
            evaluation.Lease?.Dispose();
            DeliverDenial(call, Unrecorded(failure));
        }
    }

    private void DeliverReply(OpenCall call, JsonElement payload, bool isError)
    {
        if (!call.IsOwn)
        {
            if (isError)
            {
                Deliver(new JsonRpcError { Id = call.Id, Error = ErrorDetail(payload) });
            }
            else
            {
                Deliver(new JsonRpcResponse { Id = call.Id, Result = JsonObject.Create(payload) });
            }
        }
        else if (isError)
        {
            call.Answered!.TrySetException(Local(GuardDenialCodes.ServerUnavailable));
            return;
        }

        call.Answered?.TrySetResult();
    }

    /// <summary>What a reply tells about the connection, and whether its <c>resultType</c> is one that the guard knows.</summary>
    private GuardDenial? Observe(RequestContext context, JsonElement answer)
    {
        if (!ResultTypes.IsKnown(answer))
        {
            return new GuardDenial(GuardDenialCodes.ResultInvalid, GuardStages.ResultLimit, "the result has a resultType that this version does not know");
        }

        if (string.Equals(context.Method, MethodTable.Initialize, StringComparison.Ordinal)
            && answer.TryGetProperty("protocolVersion"u8, out JsonElement version)
            && version.ValueKind == JsonValueKind.String)
        {
            _state.ProtocolVersion = version.GetString();
        }

        return null;
    }

    private async Task CompleteInputRequiredAsync(OpenCall call, JsonElement answer)
    {
        RequestContext context = call.Context!;
        Evaluation evaluation = call.Evaluation!;
        InputRequestReview review = await InputRequests.ReviewAsync(this, context, answer).ConfigureAwait(false);
        GuardDenial? denial = review.Denial ?? _continuations.Add(context, review, _pipeline.Time.GetUtcNow());
        if (denial is not null)
        {
            Refuse(RefusalReason.RefusedRequest, denial.Reason);
            await evaluation.EndAsync("deny", denial.Code, denial.Reason).ConfigureAwait(false);
            DeliverDenial(call, denial);
            return;
        }

        await evaluation.EndAsync("input-required", "input-required", $"the server asked {review.Admitted.Count} question(s) back").ConfigureAwait(false);
        DeliverReply(call, review.Payload, isError: false);
    }

    private static JsonObject ErrorNode(JsonRpcErrorDetail error)
    {
        var node = new JsonObject { ["code"] = error.Code, ["message"] = error.Message };
        switch (error.Data)
        {
            case null:
                break;
            case JsonElement element when element.ValueKind != JsonValueKind.Undefined:
                node["data"] = JsonText.NodeOf(element);
                break;
            case JsonNode data:
                node["data"] = data.DeepClone();
                break;
        }

        return node;
    }

    private static JsonRpcErrorDetail ErrorDetail(JsonElement payload) => new()
    {
        Code = payload.TryGetProperty("code"u8, out JsonElement code) && code.TryGetInt32(out int number) ? number : -32603,
        Message = payload.TryGetProperty("message"u8, out JsonElement message) && message.ValueKind == JsonValueKind.String ? message.GetString()! : "error",
        Data = payload.TryGetProperty("data"u8, out JsonElement data) ? data : null,
    };

    // ---- requests of the server -------------------------------------------------------------------------------------------------------------

    private async Task HandleServerRequestAsync(JsonRpcRequest request)
    {
        try
        {
            JsonRpcMessage? answer = await AnswerServerRequestAsync(request).ConfigureAwait(false);
            if (answer is not null)
            {
                await SendOwnAsync(answer).ConfigureAwait(false);
            }
        }
        catch (Exception fault)
        {
            PipelineLog.MessageFault(_pipeline.Logger, _state.Server.Id, fault);
        }
        finally
        {
            Interlocked.Decrement(ref _answering);
        }
    }

    /// <summary>The guard's own answer, or null where the request went on to the host.</summary>
    private async Task<JsonRpcMessage?> AnswerServerRequestAsync(JsonRpcRequest request)
    {
        if (!MessageSnapshot.TryTake(request.Params, MessageLimits.MaxRequestBytes, out JsonElement payload, out string fault))
        {
            Refuse(RefusalReason.RefusedRequest, fault, request.Method);
            return ServerAnswers.Error(request.Id, -32602, "The parameters are not acceptable.");
        }

        switch (request.Method)
        {
            case MethodTable.Ping:
                RecordAnswered(request.Method);
                return ServerAnswers.Empty(request.Id);

            case MethodTable.Roots:
                RecordAnswered(request.Method);
                return ServerAnswers.Roots(request.Id, _state.Settings(_state.Policy));

            case MethodTable.Sampling:
            case MethodTable.Elicitation:
                break;

            default:
                Refuse(RefusalReason.RefusedRequest, "a method that is not in the table", request.Method);
                return ServerAnswers.Error(request.Id, -32601, "Method not found.");
        }

        OpenCall? cause = CauseOf(out string? unbound);
        if (cause is null)
        {
            Refuse(RefusalReason.UnboundRequest, unbound!, request.Method);
            return ServerAnswers.Refusal(request.Id, request.Method);
        }

        GuardDenial? spent = null;
        ExecutionContext handlerContext = cause.ExecutionContext ?? CleanContext;
        if (request.Method == MethodTable.Sampling)
        {
            if (CallChain.ForSampling(cause.Context!.Chain, CallChainLimits.Of(cause.Context.Settings)) is { } chain)
            {
                handlerContext = Inside(handlerContext, chain);
            }
            else
            {
                spent = new GuardDenial(GuardDenialCodes.BudgetSpent, GuardStages.Budgets, "a sampling request too deep, or more than one call may cause");
            }
        }

        // Time in which a person is asked does not count against the tool, neither here nor while the host answers.
        IDisposable? pause = cause.Pause();
        bool opened = false;
        try
        {
            var answer = await JudgeServerRequestAsync(request, cause, payload, spent, handlerContext, pause).ConfigureAwait(false);
            opened = answer is null;
            return answer;
        }
        finally
        {
            if (!opened)
            {
                pause?.Dispose();
            }
        }
    }

    /// <summary>The context of a caller inside a sampling request: what the host's handler calls there counts against the root call.</summary>
    private static ExecutionContext Inside(ExecutionContext context, CallChain chain)
    {
        ExecutionContext? inside = null;
        ExecutionContext.Run(
            context,
            _ =>
            {
                chain.Enter();
                inside = ExecutionContext.Capture();
            },
            null);
        return inside!;
    }

    /// <summary>Judges a request that belongs to a call, and hands it to the host; the refusal, or null where the host answers.</summary>
    private async Task<JsonRpcMessage?> JudgeServerRequestAsync(JsonRpcRequest request, OpenCall cause, JsonElement payload, GuardDenial? spent, ExecutionContext handlerContext, IDisposable? pause)
    {
        OpenCall[] calls = CallsOf(cause.Caller);
        var context = new ServerRequestContext(
            _state, cause.Context, cause.Caller, DecisionIds.Next(_pipeline.Time), request.Method, MetaFilter.FromServer(payload, _state.Settings(_state.Policy)))
        { IsCallCertain = calls.Length == 1 };
        GuardDenial? denial = spent ?? await _pipeline.JudgeServerRequestAsync(context, _closing.Token).ConfigureAwait(false);
        if (!await RecordServerRequestAsync(context, denial).ConfigureAwait(false))
        {
            Refuse(RefusalReason.RefusedRequest, "the request could not be recorded", request.Method);
            return ServerAnswers.Refusal(request.Id, request.Method);
        }

        if (denial is not null)
        {
            Refused.Add(RefusalReason.RefusedRequest); // on record with its caller already
            CountAgainstFlood(isRefused: true);
            return ServerAnswers.Refusal(request.Id, request.Method);
        }

        if (!Array.Exists(calls, static call => call.IsForwarded))
        {
            Refuse(RefusalReason.UnboundRequest, "the call ended while its request was judged", request.Method);
            return ServerAnswers.Refusal(request.Id, request.Method);
        }

        if (!_serverRequests.TryOpen(request.Id, context, calls, pause))
        {
            Refuse(RefusalReason.Overflow, "too many open requests of the server, or an id in use", request.Method);
            return ServerAnswers.Refusal(request.Id, request.Method);
        }

        Deliver(new JsonRpcRequest
        {
            Id = request.Id,
            Method = request.Method,
            Params = context.Current.ValueKind == JsonValueKind.Object ? JsonObject.Create(context.Current) : null,
            Context = new JsonRpcMessageContext { ExecutionContext = handlerContext },
        });
        return null;
    }

    /// <summary>The call that a server's request belongs to: the open calls must be of one caller, for nothing on the wire says which call it is.</summary>
    private OpenCall? CauseOf(out string? why)
    {
        OpenCall? cause = null;
        foreach (OpenCall call in _open.Values)
        {
            if (!call.IsForwarded || call.IsOwn || call.Context?.Kind is RequestKind.Lifecycle or RequestKind.Subscription)
            {
                continue;
            }

            if (cause is not null && !cause.Caller.Equals(call.Caller))
            {
                why = "a request while calls of several callers are open";
                return null;
            }

            cause = call;
        }

        why = cause is null ? "a request that belongs to no open call" : null;
        return cause;
    }

    private async Task SendAnswerAsync(JsonRpcMessageWithId answer, CancellationToken ct)
    {
        // What the host answers leaves only for a request that the guard let through, once, and as the copy that was judged.
        if (_serverRequests.TryClose(answer.Id) is not { } asked)
        {
            return;
        }

        HostAnswer judged = JudgeAnswer(asked, answer);
        bool recorded = await RecordAnswerAsync(asked.Context, judged).ConfigureAwait(false);
        JsonRpcMessage outgoing = judged.IsSent && recorded
            ? new JsonRpcResponse { Id = answer.Id, Result = JsonObject.Create(judged.Payload) }
            : ServerAnswers.Refusal(answer.Id, asked.Context.Method);
        await SendInnerAsync(outgoing, ct).ConfigureAwait(false);
    }

    private async Task SendOwnAsync(JsonRpcMessage message)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), _pipeline.Time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _closing.Token);
        await SendInnerAsync(message, both.Token).ConfigureAwait(false);
    }

    /// <summary>False where a request that would be let through could not be recorded; a refusal stands whether or not it could.</summary>
    internal async ValueTask<bool> RecordServerRequestAsync(ServerRequestContext context, GuardDenial? denial, string? decision = null)
    {
        var record = new AuditRecord
        {
            Kind = AuditKind.ServerMessage,
            Time = _pipeline.Time.GetUtcNow(),
            DecisionId = context.DecisionId,
            UserId = context.Caller.UserId,
            SessionId = context.Caller.SessionId,
            Server = _state.Server.Id,
            Method = context.Method,
            Target = context.Call?.TargetName,
            Decision = decision ?? (denial is null ? "admit" : "deny"),
            Code = denial?.Code,
            Stage = denial?.Stage,
            Reason = denial?.Reason,
            PolicyRevision = context.PolicyRevision,
            ProtocolVersion = _state.ProtocolVersion,
        };
        if (denial is not null)
        {
            await _pipeline.Audit.WriteEventAsync(record, _closing.Token).ConfigureAwait(false);
            return true;
        }

        try
        {
            await _pipeline.Audit.WriteRequiredEventAsync(record, _closing.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !_closing.IsCancellationRequested)
        {
            PipelineLog.AuditFailed(_pipeline.Logger, AuditKind.ServerMessage, context.DecisionId, failure);
            return false;
        }
    }

    // ---- notifications of the server --------------------------------------------------------------------------------------------------------

    private void ReceiveNotification(JsonRpcNotification notification)
    {
        if (!_notificationRate.TryTake())
        {
            Drop(notification, "more notifications than are judged in a second");
            return;
        }

        if (!MessageSnapshot.TryTake(notification.Params, MessageLimits.MaxRequestBytes, out JsonElement payload, out string fault))
        {
            Refuse(RefusalReason.RefusedNotification, fault, notification.Method);
            return;
        }

        var context = new NotificationContext(
            _state, _state.ConnectionCaller, string.Empty, notification.Method, MetaFilter.FromServer(payload, _state.Settings(_state.Policy)), isFromServer: true);
        if (!_notifications.TryRun(() => JudgeNotificationAsync(context)))
        {
            Refuse(RefusalReason.Overflow, "more notifications than can be judged", notification.Method);
        }
    }

    /// <summary>
    /// Drops a notification of a flood at next to no cost. That a list changed is never missed. What is merely too fast is no offence: it counts like what
    /// was let through.
    /// </summary>
    private void Drop(JsonRpcNotification notification, string why)
    {
        if (notification.Method == MethodTable.ToolsChanged)
        {
            _state.Tools.MarkStale();
        }

        Count(RefusalReason.Overflow, why, notification.Method);
        CountAgainstFlood(isRefused: false);
    }

    private async Task JudgeNotificationAsync(NotificationContext context)
    {
        try
        {
            GuardDenial? denial = await _pipeline.JudgeNotificationAsync(context, _closing.Token).ConfigureAwait(false);
            if (context.Method == MethodTable.Progress)
            {
                ObserveProgress(context.Payload, denial is null);
            }

            if (denial is not null)
            {
                Refuse(RefusalReason.RefusedNotification, denial.Reason, context.Method);
                return;
            }

            bool hasParameters = context.Current.ValueKind == JsonValueKind.Object;
            var judged = new JsonRpcNotification
            {
                Method = context.Method,
                Params = hasParameters ? JsonObject.Create(context.Current) : null,
                Context = new JsonRpcMessageContext { ExecutionContext = CleanContext },
            };
            if (Relay?.Invoke(judged) == true || _toClient.TryWriteNotification(judged, hasParameters ? JsonMarshal.GetRawUtf8Value(context.Current).Length : 0))
            {
                RecordDelivered(context);
            }
            else
            {
                Count(RefusalReason.Overflow, "more notifications than the host takes", context.Method);
                CountAgainstFlood(isRefused: false);
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            return; // the connection ends
        }
        catch (Exception fault)
        {
            PipelineLog.MessageFault(_pipeline.Logger, _state.Server.Id, fault);
        }
    }

    /// <summary>Progress gives a running call time where its rule says so, and shows that an abandoned one goes on.</summary>
    private void ObserveProgress(JsonElement payload, bool admitted)
    {
        if (payload.ValueKind != JsonValueKind.Object || !payload.TryGetProperty("progressToken"u8, out JsonElement given))
        {
            return;
        }

        string token = given.GetRawText();
        if (OwnerOf(token) is not { } call)
        {
            _watch?.OnProgress(token);
        }
        else if (admitted)
        {
            call.OnProgress();
        }
    }

    /// <summary>Counts and records what was not let through; beyond a quota the audit counts too, and a server that goes on is disconnected.</summary>
    /// <param name="reason">The kind of refusal.</param>
    /// <param name="what">Why, in words of the guard.</param>
    /// <param name="method">The server's method, where it has one.</param>
    internal void Refuse(RefusalReason reason, string what, string? method = null)
    {
        Count(reason, what, method);
        CountAgainstFlood(isRefused: true);
    }

    /// <summary>Counts and records what was not let through.</summary>
    private void Count(RefusalReason reason, string what, string? method)
    {
        long count = Refused.Add(reason);
        if (long.IsPow2(count))
        {
            PipelineLog.ServerMessageRefused(_pipeline.Logger, _state.Server.Id, what, count);
        }

        RecordServerMessage("drop", reason.ToString(), what, method);
    }

    /// <summary>A message of the server that was let through.</summary>
    private void RecordDelivered(NotificationContext context)
    {
        RecordServerMessage("deliver", null, null, context.Method);
        CountAgainstFlood(isRefused: false);
    }

    /// <summary>A request of the server that the guard answered by itself.</summary>
    private void RecordAnswered(string method)
    {
        RecordServerMessage("answer", null, null, method);
        CountAgainstFlood(isRefused: false);
    }

    private void CountAgainstFlood(bool isRefused)
    {
        if (_flood.Add(isRefused))
        {
            PipelineLog.ServerFloods(_pipeline.Logger, _state.Server.Id);
            _state.Runtime.Floods.Add(_state.Server.Id, _pipeline.Time.GetUtcNow());
            _ = DisconnectAsync("flood", "it sent too many messages");
        }
    }

    private void RecordServerMessage(string decision, string? code, string? reason, string? method) =>
        Observe(_pipeline.Audit.WriteEventAsync(
            new AuditRecord
            {
                Kind = AuditKind.ServerMessage,
                Time = _pipeline.Time.GetUtcNow(),
                SessionId = _state.ConnectionId,
                Server = _state.Server.Id,
                Method = method is { Length: > MaxRecordedMethod } ? method[..MaxRecordedMethod] : method,
                Decision = decision,
                Code = code,
                Reason = reason,
                PolicyRevision = _state.Policy.Revision,
                ProtocolVersion = _state.ProtocolVersion,
            },
            CancellationToken.None));

    /// <summary>The reader of the server's messages does not wait for the audit; a failure was logged by the trail.</summary>
    private static void Observe(ValueTask write)
    {
        if (write.IsCompletedSuccessfully)
        {
            write.GetAwaiter().GetResult();
        }
        else
        {
            _ = write.AsTask();
        }
    }
}
