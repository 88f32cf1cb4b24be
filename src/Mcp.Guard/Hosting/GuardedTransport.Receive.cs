using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <content>The server to client half: replies, requests and notifications of the server.</content>
internal sealed partial class GuardedTransport
{
    private static readonly ExecutionContext CleanContext = CaptureClean();

    private readonly ServerRequestTable _serverRequests = new();
    private readonly NotificationQueue _notifications = new();

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
            ChannelReader<JsonRpcMessage> reader = _inner.MessageReader;
            while (await reader.WaitToReadAsync(_closing.Token).ConfigureAwait(false))
            {
                while (reader.TryRead(out JsonRpcMessage? message))
                {
                    // A fault while judging one message fails that message, never the loop.
                    try
                    {
                        Receive(message);
                    }
                    catch (Exception fault)
                    {
                        PipelineLog.MessageFault(_pipeline.Logger, _state.Server.Id, fault);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            end = null;
        }
        catch (Exception failure)
        {
            end = TransportEnd.Of(_state.Server.Id, failure);
        }

        foreach (OpenCall call in _open.Values)
        {
            if (call.TryTake())
            {
                Forget(call);
                await EndLostAsync(call).ConfigureAwait(false);
            }
        }

        _toClient.Writer.TryComplete(end);
        _state.Runtime.Connections.Remove(this);
    }

    private async Task EndLostAsync(OpenCall call)
    {
        try
        {
            GuardDenial denial = await call.Evaluation!
                .EndIfOpenAsync("failed", GuardDenialCodes.ServerUnavailable, "the connection ended before the reply")
                .ConfigureAwait(false);
            DeliverDenial(call, denial);
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
            case JsonRpcRequest request:
                _ = HandleServerRequestAsync(request);
                break;
            case JsonRpcNotification notification:
                ReceiveNotification(notification);
                break;
        }
    }

    // ---- replies ----------------------------------------------------------------------------------------------------------------------------

    private void ReceiveReply(RequestId id, JsonNode? result, bool isError, JsonRpcErrorDetail? error)
    {
        if (id.Id is null || !_open.TryGetValue(id, out OpenCall? call))
        {
            if (id.Id is not null && _late.TryTake(id) is { } given)
            {
                given.Evaluation?.Release();
                Refuse(RefusalReason.LateReply, "a reply to a call that was given up");
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

        Forget(call);
        _ = CompleteAsync(call, result, isError, error);
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
                answer = MetaFilter.Apply(answer);
                denial = Observe(context, answer);
                if (denial is null && ResultTypes.IsInputRequired(answer))
                {
                    await CompleteInputRequiredAsync(call, answer).ConfigureAwait(false);
                    return;
                }
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
            DeliverDenial(call, new GuardDenial(
                GuardDenialCodes.AuditUnavailable,
                "audit",
                $"the outcome could not be recorded ({failure.GetType().Name})",
                "The call may have been carried out, but its outcome could not be recorded, so it is not shown. Do not repeat it without checking."));
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
    }

    /// <summary>The guard's own answer, or null where the request went on to the host.</summary>
    private async Task<JsonRpcMessage?> AnswerServerRequestAsync(JsonRpcRequest request)
    {
        if (!MessageSnapshot.TryTake(request.Params, MessageLimits.MaxRequestBytes, out JsonElement payload, out string fault))
        {
            Refuse(RefusalReason.RefusedRequest, fault);
            return ServerAnswers.Error(request.Id, -32602, "The parameters are not acceptable.");
        }

        switch (request.Method)
        {
            case MethodTable.Ping:
                return ServerAnswers.Empty(request.Id);

            case MethodTable.Roots:
                return ServerAnswers.Roots(request.Id, _state.Settings(_state.Policy));

            case MethodTable.Sampling:
            case MethodTable.Elicitation:
                break;

            default:
                Refuse(RefusalReason.RefusedRequest, "a method that is not in the table");
                return ServerAnswers.Error(request.Id, -32601, "Method not found.");
        }

        OpenCall? cause = CauseOf(out string? unbound);
        if (cause is null)
        {
            Refuse(RefusalReason.UnboundRequest, unbound!);
            return ServerAnswers.Refusal(request.Id, request.Method);
        }

        var context = new ServerRequestContext(
            _state, cause.Context, cause.Caller, DecisionIds.Next(_pipeline.Time), request.Method, MetaFilter.Apply(payload));
        GuardDenial? denial = await _pipeline.JudgeServerRequestAsync(context, _closing.Token).ConfigureAwait(false);
        await RecordServerRequestAsync(context, denial).ConfigureAwait(false);
        if (denial is not null)
        {
            Refuse(RefusalReason.RefusedRequest, denial.Reason);
            return ServerAnswers.Refusal(request.Id, request.Method);
        }

        if (!_serverRequests.TryOpen(request.Id, request.Method, context))
        {
            Refuse(RefusalReason.Overflow, "too many open requests of the server, or an id in use");
            return ServerAnswers.Refusal(request.Id, request.Method);
        }

        Deliver(new JsonRpcRequest
        {
            Id = request.Id,
            Method = request.Method,
            Params = context.Current.ValueKind == JsonValueKind.Object ? JsonObject.Create(context.Current) : null,
            Context = new JsonRpcMessageContext { ExecutionContext = cause.ExecutionContext ?? CleanContext },
        });
        return null;
    }

    /// <summary>The call that a server's request belongs to: the open calls must be of one caller, for nothing on the wire says which call it is.</summary>
    private OpenCall? CauseOf(out string? why)
    {
        OpenCall? cause = null;
        foreach (OpenCall call in _open.Values)
        {
            if (!call.IsForwarded || call.IsOwn || call.Context?.Kind == RequestKind.Lifecycle)
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

        if (answer is JsonRpcError)
        {
            // The host's own failure: its text may name things of the host.
            await SendInnerAsync(ServerAnswers.Refusal(answer.Id, asked.Method), ct).ConfigureAwait(false);
            return;
        }

        if (!MessageSnapshot.TryTake(((JsonRpcResponse)answer).Result, MessageLimits.MaxRequestBytes, out JsonElement payload, out _)
            || payload.ValueKind != JsonValueKind.Object)
        {
            await SendInnerAsync(ServerAnswers.Refusal(answer.Id, asked.Method), ct).ConfigureAwait(false);
            return;
        }

        await SendInnerAsync(new JsonRpcResponse { Id = answer.Id, Result = JsonObject.Create(payload) }, ct).ConfigureAwait(false);
    }

    private async Task SendOwnAsync(JsonRpcMessage message)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), _pipeline.Time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _closing.Token);
        await SendInnerAsync(message, both.Token).ConfigureAwait(false);
    }

    private ValueTask RecordServerRequestAsync(ServerRequestContext context, GuardDenial? denial) =>
        _pipeline.Audit.WriteEventAsync(
            new AuditRecord
            {
                Kind = AuditKind.ServerMessage,
                Time = _pipeline.Time.GetUtcNow(),
                DecisionId = context.DecisionId,
                UserId = context.Caller.UserId,
                SessionId = context.Caller.SessionId,
                Server = _state.Server.Id,
                Method = context.Method,
                Decision = denial is null ? "admit" : "deny",
                Code = denial?.Code,
                Stage = denial?.Stage,
                Reason = denial?.Reason,
                PolicyRevision = context.PolicyRevision,
            },
            _closing.Token);

    // ---- notifications of the server --------------------------------------------------------------------------------------------------------

    private void ReceiveNotification(JsonRpcNotification notification)
    {
        if (!MessageSnapshot.TryTake(notification.Params, MessageLimits.MaxRequestBytes, out JsonElement payload, out string fault))
        {
            Refuse(RefusalReason.RefusedNotification, fault);
            return;
        }

        var context = new NotificationContext(
            _state, _state.ConnectionCaller, string.Empty, notification.Method, MetaFilter.Apply(payload), isFromServer: true);
        if (!_notifications.TryRun(() => JudgeNotificationAsync(context)))
        {
            Refuse(RefusalReason.Overflow, "more notifications than can be judged");
        }
    }

    private async Task JudgeNotificationAsync(NotificationContext context)
    {
        try
        {
            GuardDenial? denial = await _pipeline.JudgeNotificationAsync(context, _closing.Token).ConfigureAwait(false);
            if (denial is not null)
            {
                Refuse(RefusalReason.RefusedNotification, denial.Reason);
                return;
            }

            Deliver(new JsonRpcNotification
            {
                Method = context.Method,
                Params = context.Current.ValueKind == JsonValueKind.Object ? JsonObject.Create(context.Current) : null,
                Context = new JsonRpcMessageContext { ExecutionContext = CleanContext },
            });
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

    /// <summary>Counts what was not let through. The first, and then each power of two, is recorded: a flood cannot fill the audit.</summary>
    internal void Refuse(RefusalReason reason, string what)
    {
        long count = Refused.Add(reason);
        if (!long.IsPow2(count))
        {
            return;
        }

        PipelineLog.ServerMessageRefused(_pipeline.Logger, _state.Server.Id, what, count);
        _ = RecordRefusalAsync(reason, what, count);
    }

    private async Task RecordRefusalAsync(RefusalReason reason, string what, long count)
    {
        await _pipeline.Audit.WriteEventAsync(
            new AuditRecord
            {
                Kind = AuditKind.ServerMessage,
                Time = _pipeline.Time.GetUtcNow(),
                SessionId = _state.ConnectionId,
                Server = _state.Server.Id,
                Decision = "drop",
                Code = reason.ToString(),
                Reason = what,
                PolicyRevision = _state.Policy.Revision,
                Count = count,
            },
            CancellationToken.None).ConfigureAwait(false);
    }
}
