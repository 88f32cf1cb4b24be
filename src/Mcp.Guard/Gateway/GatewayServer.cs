using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Mcp.Guard.Hosting;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Redaction;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Gateway;

/// <summary>
/// A host that is itself an MCP server: names the caller of each request, judges what is the gateway's own, and passes on what belongs to a guarded server,
/// where it is judged.
/// </summary>
internal sealed partial class GatewayServer : IAsyncDisposable, IDisposable
{
    private const string QuestionKey = "question";

    private readonly McpGuardHost _guard;
    private readonly McpGuardGatewayOptions _options;
    private readonly GatewayRegistration _registration;
    private readonly ILogger _logger;
    private readonly SuspendedCalls _suspended;
    private readonly GatewayAudience _audience;
    private readonly CallerLoad _load = new();
    private readonly GatewayForward[] _forwards;
    private readonly ConnectionState? _own;
    private readonly GuardCaller? _local;

    // Whoever has no name is one caller: a new one for each request would have a new rate each time.
    private readonly GuardCaller _nobody = GuardCaller.ForConnection("gateway-" + Guid.NewGuid().ToString("N"));

    public GatewayServer(IServiceProvider services, GatewayRegistration registration, IOptions<McpGuardGatewayOptions> options, ILoggerFactory? loggers = null)
    {
        _guard = services.GetService(typeof(McpGuardHost)) as McpGuardHost
            ?? throw new McpGuardConfigurationException("WithMcpGuard() needs the guard. Call services.AddMcpGuard(...) too.");
        _registration = registration;
        _options = options.Value;
        _logger = loggers?.CreateLogger("Mcp.Guard") ?? _guard.Runtime.Pipeline.Logger;
        _suspended = new SuspendedCalls(_guard.Runtime.Time);
        _audience = new GatewayAudience(_guard.Runtime.Time);
        Policy.PolicySnapshot policy = _guard.Runtime.Policy.Current;
        foreach (string serverId in _options.Forwarded)
        {
            if (!policy.Servers.ContainsKey(serverId))
            {
                throw new McpGuardConfigurationException($"The gateway passes calls on to the server '{serverId}', which the policy does not name. Add it to \"servers\" or remove Forward(\"{serverId}\").");
            }
        }

        if (_options.Forwarded.Contains(_options.ServerId, StringComparer.Ordinal))
        {
            throw new McpGuardConfigurationException($"The gateway's own id '{_options.ServerId}' is also a server that it passes calls on to. Set McpGuardGatewayOptions.ServerId to another id.");
        }

        if (!_options.QualifyNames && _options.Forwarded.Count != 1)
        {
            throw new McpGuardConfigurationException(
                "McpGuardGatewayOptions.QualifyNames is false, but the gateway does not pass on to exactly one server: names of several servers could be mistaken for each other. Leave it true.");
        }

        _forwards =
        [
            .. _options.Forwardings.Select(to => new GatewayForward(
                _guard, to.ServerId, to.Transport, _audience, _options.QualifyNames, policy.Servers[to.ServerId].Limits.ConsentTimeout, _logger)),
        ];
        CanComplete = _options.Forwarded.Any(serverId => policy.Servers[serverId].AllowCompletion);
        if (policy.Servers.TryGetValue(_options.ServerId, out Policy.ServerSettings? settings))
        {
            if (settings.Endpoint is not Policy.HostProvidedEndpoint)
            {
                throw new McpGuardConfigurationException(
                    $"The policy reaches the server '{_options.ServerId}' by a URL or command, but it is the gateway itself. Say \"hostProvided\": true there, or set McpGuardGatewayOptions.ServerId.");
            }

            _own = new ConnectionState(_guard.Runtime, settings.Identity) { ProtocolVersion = MethodTable.NewestProtocolVersion, SharesNames = false };
            _own.ListTools = ListOwnToolsAsync;
        }

        if (registration.IsLocal && _options.LocalUser is { Length: > 0 } user)
        {
            _local = new GuardCaller(user, "local-" + Guid.NewGuid().ToString("N"));
        }
    }

    /// <summary>Whether other servers are offered.</summary>
    public bool ForwardsAny => _forwards.Length > 0;

    /// <summary>Whether the policy lets one of them complete arguments.</summary>
    public bool CanComplete { get; }

    /// <summary>Connects to every server now, and lists its tools; each task ends with its fault where that fails.</summary>
    public (string Server, Task Connected)[] Warm() => [.. _forwards.Select(static forward => (forward.ServerId, forward.WarmAsync()))];

    /// <summary>The calls that wait for a retry.</summary>
    public int SuspendedCount => _suspended.Count;

    private GuardRuntime Runtime => _guard.Runtime;

    /// <summary>The constructor has checked everything; this makes it run at start.</summary>
    public void Check() => _ = _registration;

    public async ValueTask DisposeAsync()
    {
        _suspended.Clear();
        foreach (GatewayForward forward in _forwards)
        {
            await forward.DisposeAsync().ConfigureAwait(false);
        }
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    // ---- every message ----------------------------------------------------------------------------------------------------------------------

    /// <summary>Names the caller of a message, whatever flow of control it comes in, and refuses methods that no table knows.</summary>
    public McpMessageHandler FilterMessage(McpMessageHandler next) => async (context, ct) =>
    {
        GuardCaller caller = CallerOf(context);
        using IDisposable scope = AmbientCaller.Begin(caller);
        GatewayCall.Current = null;
        GatewaySubscriber.Connection = ConnectionOf(context, caller);
        if (context.JsonRpcMessage is JsonRpcNotification notification && !IsKnownOfClients(notification.Method))
        {
            await RecordAsync(caller, notification.Method, null, GuardDenialCodes.MethodNotAllowed, "a notification of the client that is not in the method table", ct).ConfigureAwait(false);
            return;
        }

        if (context.JsonRpcMessage is JsonRpcRequest request)
        {
            if (MethodTable.KindOf(request.Method) == RequestKind.Unknown)
            {
                await RecordAsync(caller, request.Method, null, GuardDenialCodes.MethodNotAllowed, "a method that is not in the method table", ct).ConfigureAwait(false);
                throw new McpProtocolException(GuardDenialCodes.MessageFor(GuardDenialCodes.MethodNotAllowed), McpErrorCode.MethodNotFound);
            }

            if (!_load.TryEnter(caller))
            {
                string decisionId = await RecordAsync(caller, request.Method, null, GuardDenialCodes.TooManyCalls, "the caller has too many requests open", ct).ConfigureAwait(false);
                throw Refused(new GuardDenial(GuardDenialCodes.TooManyCalls, "gateway", string.Empty), decisionId);
            }

            try
            {
                await ServeAsync(request).ConfigureAwait(false);
            }
            finally
            {
                _load.Leave(caller);
            }

            return;
        }

        await next(context, ct).ConfigureAwait(false);

        async Task ServeAsync(JsonRpcRequest request)
        {
            if (!ForwardsAny && string.Equals(request.Method, MethodTable.Listen, StringComparison.Ordinal) && NamesResources(request.Params))
            {
                // What is told about resources is the gateway's own; the SDK has no filter for this method.
                await using Evaluation evaluation = await EvaluateOwnAsync(request.Method, request.Params, caller, ct).ConfigureAwait(false);
                if (evaluation.Denial is { } denial)
                {
                    throw Refused(denial, evaluation.DecisionId);
                }

                await evaluation.AbortAsync("subscription", "the stream is the SDK's", ct).ConfigureAwait(false);
            }

            await next(context, ct).ConfigureAwait(false);
            if (ForwardsAny && string.Equals(request.Method, MethodTable.SetLevel, StringComparison.Ordinal))
            {
                await SetLevelAsync(request.Params, ct).ConfigureAwait(false);
            }
        }
    };

    private GuardCaller CallerOf(MessageContext context)
    {
        if (context.User is not { } user)
        {
            return _local ?? _nobody;
        }

        try
        {
            GuardCaller? named = _options.CallerOf is { } of
                ? user.Identities.Any(static identity => identity.IsAuthenticated) ? of(user) : null
                : GatewayCaller.Of(user);
            return named is null or { IsConnection: true } ? _nobody : named;
        }
        catch (Exception failure)
        {
            GatewayLog.CallerFailed(_logger, failure);
            return _nobody;
        }
    }

    private GatewayCall Begin(MessageContext context, JsonRpcMessageContext? message)
    {
        // Streamable HTTP serves 2026-07-28 without sessions: nothing can be sent to the client but the answer to its request. Over streams the SDK carries
        // questions itself. What the client can show stands in the request (2026-07-28) or was said at the handshake.
        bool carries = message?.RelatedTransport is not null && MethodTable.IsStateless(message.ProtocolVersion ?? context.Server.NegotiatedProtocolVersion);
        ElicitationCapability? elicitation = (carries ? message?.ClientCapabilities : context.Server.ClientCapabilities)?.Elicitation;
        var call = new GatewayCall(AmbientCaller.Current ?? _nobody, context.Server, carries)
        {
            CanSample = (carries ? message?.ClientCapabilities : context.Server.ClientCapabilities)?.Sampling is not null,
            CanShowForms = elicitation is not null ? elicitation.Form is not null || elicitation.Url is null : carries && DeclaresForms(context.JsonRpcMessage),
            CanShowUrls = elicitation?.Url is not null,
        };
        GatewayCall.Current = call;
        return call;
    }

    /// <summary>What a stateless request says of its client, where the transport did not read it.</summary>
    private static bool DeclaresForms(JsonRpcMessage message) =>
        message is JsonRpcRequest request
        && MessageSnapshot.TryTake(request.Params, MessageLimits.MaxRequestBytes, out JsonElement payload, out _)
        && payload.ValueKind == JsonValueKind.Object
        && payload.TryGetProperty("_meta"u8, out JsonElement meta)
        && meta.ValueKind == JsonValueKind.Object
        && meta.TryGetProperty("io.modelcontextprotocol/clientCapabilities"u8, out JsonElement capabilities)
        && capabilities.ValueKind == JsonValueKind.Object
        && capabilities.TryGetProperty("elicitation"u8, out JsonElement elicitation)
        && elicitation.ValueKind == JsonValueKind.Object
        && (elicitation.TryGetProperty("form"u8, out _) || !elicitation.TryGetProperty("url"u8, out _));

    // ---- tools ------------------------------------------------------------------------------------------------------------------------------

    /// <summary>The gateway's own tools as the policy shows them, and those of the servers that it passes calls on to.</summary>
    public McpRequestHandler<ListToolsRequestParams, ListToolsResult> FilterToolList(McpRequestHandler<ListToolsRequestParams, ListToolsResult> next)
    {
        McpRequestHandler<ListToolsRequestParams, ListToolsResult> own = Judged(RequestMethods.ToolsList, next);
        return async (request, ct) =>
        {
            ListToolsResult result = _own is null ? new ListToolsResult() : await own(request, ct).ConfigureAwait(false);
            if (request.Params?.Cursor is not null)
            {
                return result;
            }

            var names = new HashSet<string>(result.Tools.Select(static tool => tool.Name), StringComparer.Ordinal);
            await foreach (Tool tool in OfAllAsync(static (forward, ct) => forward.ListToolsAsync(ct), ct).ConfigureAwait(false))
            {
                if (names.Add(tool.Name))
                {
                    result.Tools.Add(tool);
                }
            }

            return result;
        };
    }

    /// <summary>Judges a call of an own tool, or passes a call on; a retry takes up the call that asked.</summary>
    public McpRequestHandler<CallToolRequestParams, CallToolResult> FilterToolCall(McpRequestHandler<CallToolRequestParams, CallToolResult> next) => async (request, ct) =>
    {
        GatewayCall call = Begin(request, request.JsonRpcRequest.Context);
        GatewayOutcome outcome = MessageSnapshot.TryTake(request.JsonRpcRequest.Params, MessageLimits.MaxRequestBytes, out JsonElement payload, out string fault)
            ? await CallToolAsync(call, payload, request.JsonRpcRequest.Params, request.MatchedPrimitive is not null, ct).ConfigureAwait(false)
            : await DenyAsync(call, request.Params?.Name, GuardDenialCodes.ArgumentsMalformed, fault, ct).ConfigureAwait(false);
        if (outcome.Question is { } question)
        {
            throw new InputRequiredException(question.InputRequests!, question.RequestState);
        }

        return outcome.Answer is { } answer
            ? Typed(answer)
            : await RunOwnAsync(outcome.Evaluation!, request, next, ct).ConfigureAwait(false);
    };

    /// <summary>One call of a tool: passed on and answered, denied, asked about, or judged where the tool is the gateway's own.</summary>
    /// <param name="call">The client's request.</param>
    /// <param name="payload">Its parameters, of which everything is read: what is judged is what is sent.</param>
    /// <param name="parameters">The same as the SDK has them, for a tool of the gateway's own.</param>
    /// <param name="isOwnTool">Whether the gateway has a tool of that name itself.</param>
    /// <param name="ct">The client's leaving, or its cancellation.</param>
    private async Task<GatewayOutcome> CallToolAsync(GatewayCall call, JsonElement payload, JsonNode? parameters, bool isOwnTool, CancellationToken ct)
    {
        if (payload.ValueKind != JsonValueKind.Object || !payload.TryGetProperty("name"u8, out JsonElement named) || named.ValueKind != JsonValueKind.String)
        {
            return await DenyAsync(call, null, GuardDenialCodes.ArgumentsMalformed, "the call names no tool", ct).ConfigureAwait(false);
        }

        string name = named.GetString()!;
        JsonElement arguments = payload.TryGetProperty("arguments"u8, out JsonElement given) && given.ValueKind != JsonValueKind.Null ? given : default;
        if (arguments.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined))
        {
            return await DenyAsync(call, name, GuardDenialCodes.ArgumentsMalformed, "'arguments' is not an object", ct).ConfigureAwait(false);
        }

        if (ArgumentsDigest.TryCompute(arguments, out string? digest) != JsonFault.None)
        {
            return await DenyAsync(call, name, GuardDenialCodes.ArgumentsMalformed, "the arguments have no canonical form", ct).ConfigureAwait(false);
        }

        if (payload.TryGetProperty("requestState"u8, out JsonElement stated) && stated.ValueKind == JsonValueKind.String && stated.GetString() is { } state && SuspendedCalls.IsOwn(state))
        {
            if (!call.CarriesQuestions || _suspended.Take(state, call.Caller, name, digest!) is not { } waiting)
            {
                return await DenyAsync(
                    call, name, GuardDenialCodes.ContinuationInvalid, "a retry of no call that waits for this caller with these arguments", ct).ConfigureAwait(false);
            }

            waiting.Question!.Reply(AnswerIn(payload));
            return await CarryAsync(waiting, ct).ConfigureAwait(false);
        }

        GatewayForward? forward = null;
        string? tool = null;
        foreach (GatewayForward candidate in _forwards)
        {
            if (await FindAsync(candidate, name, ct).ConfigureAwait(false) is { } found)
            {
                if (forward is not null)
                {
                    return await DenyAsync(call, name, GuardDenialCodes.NameCollision, "two servers offer a tool of this name", ct).ConfigureAwait(false);
                }

                (forward, tool) = (candidate, found);
            }
        }

        if (forward is not null && isOwnTool)
        {
            return await DenyAsync(call, name, GuardDenialCodes.NameCollision, "an own tool has the name of a tool that is passed on", ct).ConfigureAwait(false);
        }

        if (forward is null && _own is null)
        {
            return await DenyAsync(
                call, name, GuardDenialCodes.ToolUnknown, "no server that calls are passed on to shows this tool, and the policy does not name the gateway itself", ct).ConfigureAwait(false);
        }

        RelayedCall relayed = Relayed(call, payload);
        if (!call.CarriesQuestions)
        {
            return await BeginWorkAsync(call, forward, tool, relayed, parameters, arguments, ct).ConfigureAwait(false);
        }

        // It may outlive this request, so nothing of the request may end it but the client's leaving before it was asked.
        var cancel = new CancellationTokenSource();
        Task<GatewayOutcome> work = BeginWorkAsync(call, forward, tool, relayed, parameters, arguments, cancel.Token);
        return await CarryAsync(new SuspendedCall(call, name, digest!, work, cancel), ct).ConfigureAwait(false);
    }

    private static InputResponse? AnswerIn(JsonElement payload) =>
        payload.TryGetProperty("inputResponses"u8, out JsonElement responses) && responses.ValueKind == JsonValueKind.Object && responses.TryGetProperty(QuestionKey, out JsonElement answer)
            ? answer.Deserialize(TypeOf<InputResponse>())
            : null;

    /// <summary>Waits for the call's outcome; a question that comes first goes to the client, which ends this request and awaits a retry.</summary>
    private async Task<GatewayOutcome> CarryAsync(SuspendedCall running, CancellationToken ct)
    {
        try
        {
            GatewayQuestion? question = await running.Call.NextQuestionAsync(running.Work, ct).ConfigureAwait(false);
            if (question is null)
            {
                return await running.Work.ConfigureAwait(false);
            }

            running.Question = question;
            if (_suspended.Add(running, TimeSpan.FromMinutes(10)) is not { } state)
            {
                running.Abandon();
                return await DenyAsync(running.Call, running.Tool, GuardDenialCodes.TooManyCalls, "too many calls wait for answers", ct).ConfigureAwait(false);
            }

            return new GatewayOutcome(Question: new InputRequiredResult
            {
                InputRequests = new Dictionary<string, InputRequest>(StringComparer.Ordinal) { [QuestionKey] = question.Request },
                RequestState = state,
            });
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            running.Abandon();
            throw;
        }
    }

    private async ValueTask<string?> FindAsync(GatewayForward forward, string name, CancellationToken ct)
    {
        try
        {
            return await forward.FindToolAsync(name, ct).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            GatewayLog.NotListed(_logger, forward.ServerId, failure);
            return null;
        }
    }

    private async Task<GatewayOutcome> BeginWorkAsync(
        GatewayCall call, GatewayForward? forward, string? tool, RelayedCall relayed, JsonNode? parameters, JsonElement arguments, CancellationToken ct)
    {
        if (forward is null)
        {
            Evaluation evaluation = await EvaluateOwnAsync(RequestMethods.ToolsCall, parameters, call.Caller, ct).ConfigureAwait(false);
            if (evaluation.Denial is not { } denial)
            {
                return new(Evaluation: evaluation);
            }

            await evaluation.DisposeAsync().ConfigureAwait(false);
            return new(Denied(denial, evaluation.DecisionId));
        }

        try
        {
            return new(await forward.CallAsync(tool!, arguments, relayed, ct).ConfigureAwait(false));
        }
        catch (McpGuardException refused)
        {
            return new(Failed(refused.Message));
        }
        catch (McpProtocolException told)
        {
            throw ErrorOf(told);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            GatewayLog.PassedOnFailed(_logger, RequestMethods.ToolsCall, forward.ServerId, failure);
            return new(Denied(new GuardDenial(GuardDenialCodes.ServerUnavailable, "gateway", failure.GetType().Name), string.Empty));
        }
    }

    // ---- what is the gateway's own ----------------------------------------------------------------------------------------------------------

    private async Task<CallToolResult> RunOwnAsync(
        Evaluation evaluation, RequestContext<CallToolRequestParams> request, McpRequestHandler<CallToolRequestParams, CallToolResult> next, CancellationToken ct)
    {
        await using (evaluation.ConfigureAwait(false))
        {
            (CallToolResult? result, GuardDenial? denial) = await RunJudgedAsync(evaluation, request, ErrorsAsResults, ct).ConfigureAwait(false);
            return denial is null ? result! : Typed(Denied(denial, evaluation.DecisionId));
        }

        // What a tool throws is told to the model as the SDK would tell it, but as a result, so that it is judged like any other text.
        async ValueTask<CallToolResult> ErrorsAsResults(RequestContext<CallToolRequestParams> judged, CancellationToken limit)
        {
            try
            {
                return await next(judged, limit).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is not (OperationCanceledException or McpProtocolException or InputRequiredException))
            {
                GatewayLog.OwnFailed(_logger, RequestMethods.ToolsCall, failure);
                return Typed(Failed(failure is McpException said ? said.Message : "The tool failed."));
            }
        }
    }

    /// <summary>Judges a request about something of the gateway's own, and its result.</summary>
    public McpRequestHandler<TParams, TResult> Judged<TParams, TResult>(string method, McpRequestHandler<TParams, TResult> next)
        where TResult : Result => async (request, ct) =>
    {
        GatewayCall call = Begin(request, request.JsonRpcRequest.Context);
        if (call.CarriesQuestions)
        {
            // Only calls of tools outlive their request; of other things nobody can be asked here.
            GatewayCall.Current = null;
        }

        await using Evaluation evaluation = await EvaluateOwnAsync(method, request.JsonRpcRequest.Params, call.Caller, ct).ConfigureAwait(false);
        GuardDenial? denial = evaluation.Denial;
        TResult? result = null;
        if (denial is null)
        {
            (result, denial) = await RunJudgedAsync(evaluation, request, next, ct).ConfigureAwait(false);
        }

        return denial is null ? result! : throw Refused(denial, evaluation.DecisionId);
    };

    private async Task<(TResult? Result, GuardDenial? Denial)> RunJudgedAsync<TParams, TResult>(
        Evaluation evaluation, RequestContext<TParams> request, McpRequestHandler<TParams, TResult> next, CancellationToken ct)
        where TResult : Result
    {
        // What was judged is what runs, whoever reads it: the typed parameters and the message.
        JsonNode? judged = evaluation.Payload.ValueKind == JsonValueKind.Undefined ? null : JsonObject.Create(evaluation.Payload);
        request.JsonRpcRequest = new JsonRpcRequest
        {
            Id = request.JsonRpcRequest.Id,
            Method = request.JsonRpcRequest.Method,
            Params = judged,
            Context = request.JsonRpcRequest.Context,
        };
        if (judged is not null)
        {
            request.Params = judged.Deserialize(TypeOf<TParams>())!;
        }

        using var deadline = evaluation.Timeout == Timeout.InfiniteTimeSpan ? new CancellationTokenSource() : new CancellationTokenSource(evaluation.Timeout, Runtime.Time);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(ct, evaluation.Halted, deadline.Token);
        TResult result;
        try
        {
            result = await next(request, limit.Token).AsTask().WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await evaluation.AbortAsync(GuardDenialCodes.Timeout, "the client cancelled", CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return evaluation.Halted.IsCancellationRequested
                ? (null, await evaluation.AbortAsync(GuardDenialCodes.Halted, "a stop was set while the call ran", CancellationToken.None).ConfigureAwait(false))
                : (null, await evaluation.AbortAsync(GuardDenialCodes.Timeout, "the time for the call is over", CancellationToken.None).ConfigureAwait(false));
        }
        catch (InputRequiredException)
        {
            // An own tool asks for itself, and is judged anew with the retry.
            await evaluation.AbortAsync("input-required", "the tool asked back", CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        catch (Exception failure)
        {
            await evaluation.AbortAsync("failed", $"the handler failed ({failure.GetType().Name})", CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        JsonTypeInfo<TResult> type = TypeOf<TResult>();
        GuardResult kept = MessageSnapshot.TryTake(JsonSerializer.SerializeToNode(result, type), MessageLimits.MaxResultBytes, out JsonElement answer, out string fault)
            ? await evaluation.CompleteAsync(answer, ct).ConfigureAwait(false)
            : GuardResult.Deny(await evaluation.AbortAsync(GuardDenialCodes.ResultInvalid, fault, ct).ConfigureAwait(false));
        return kept.IsAllowed ? (kept.Payload.Deserialize(type), null) : (null, kept.Denial!);
    }

    private async ValueTask<Evaluation> EvaluateOwnAsync(string method, JsonNode? parameters, GuardCaller caller, CancellationToken ct)
    {
        if (_own is not { } own)
        {
            // Where the policy does not name the gateway there is nothing by which its own things could be judged.
            string decisionId = await RecordAsync(caller, method, null, GuardDenialCodes.ServerNotAllowed, "the policy does not name the gateway itself", ct).ConfigureAwait(false);
            throw Refused(new GuardDenial(GuardDenialCodes.ServerNotAllowed, "gateway", string.Empty), decisionId);
        }

        await Runtime.StartAsync(ct).ConfigureAwait(false);
        RequestContext context = own.CreateRequest(method, caller);
        if (MessageSnapshot.TryTakeRequest(parameters, out RequestPayload payload, out string fault))
        {
            context.SetPayload(payload);
            ArgumentRedaction.Apply(context);
        }
        else
        {
            context.Fault = fault;
        }

        return (Evaluation)await Runtime.Pipeline.EvaluateAsync(context, ct).ConfigureAwait(false);
    }

    /// <summary>Lists the own tools for the guard, where a call names one that it has not seen.</summary>
    private async Task ListOwnToolsAsync(RequestContext cause, CancellationToken ct)
    {
        if (GatewayCall.Current is not { } call)
        {
            return;
        }

        var listed = new ListToolsResult();
        McpServerOptions options = call.Server.ServerOptions;
        if (options.Handlers.ListToolsHandler is { } handler)
        {
            var request = new JsonRpcRequest { Id = new RequestId("guard-" + Guid.NewGuid().ToString("N")), Method = RequestMethods.ToolsList };
            listed = await handler(new RequestContext<ListToolsRequestParams>(call.Server, request, new ListToolsRequestParams()), ct).ConfigureAwait(false);
            listed.NextCursor = null;
        }

        foreach (McpServerTool tool in options.ToolCollection ?? [])
        {
            listed.Tools.Add(tool.ProtocolTool);
        }

        RequestContext own = cause.Connection.CreateOwnListRequest(cause, cursor: null);
        await using var evaluation = (Evaluation)await Runtime.Pipeline.EvaluateAsync(own, ct).ConfigureAwait(false);
        if (evaluation.IsAllowed
            && MessageSnapshot.TryTake(JsonSerializer.SerializeToNode(listed, TypeOf<ListToolsResult>()), MessageLimits.MaxResultBytes, out JsonElement answer, out _))
        {
            await evaluation.CompleteAsync(answer, ct).ConfigureAwait(false);
        }
    }

    private static bool NamesResources(JsonNode? parameters) =>
        !MessageSnapshot.TryTake(parameters, MessageLimits.MaxRequestBytes, out JsonElement payload, out _) || Subscriptions.UrisOf(payload).Any();

    private static JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(T));

    /// <summary>Denies a call before it reaches a connection that would judge and record it.</summary>
    private async ValueTask<GatewayOutcome> DenyAsync(GatewayCall call, string? tool, string code, string reason, CancellationToken ct) =>
        new(Denied(new GuardDenial(code, "gateway", reason), await RecordAsync(call.Caller, RequestMethods.ToolsCall, tool, code, reason, ct).ConfigureAwait(false)));

    /// <summary>Records what the gateway itself denies; returns the decision's id.</summary>
    private async ValueTask<string> RecordAsync(GuardCaller caller, string method, string? target, string code, string reason, CancellationToken ct)
    {
        await Runtime.StartAsync(ct).ConfigureAwait(false);
        string decisionId = DecisionIds.Next(Runtime.Time);
        await Runtime.Pipeline.Audit.WriteEventAsync(
            new AuditRecord
            {
                Kind = AuditKind.Denial,
                Time = Runtime.Time.GetUtcNow(),
                DecisionId = decisionId,
                UserId = caller.UserId,
                SessionId = caller.SessionId,
                Server = _options.ServerId,
                Method = Bounded(method),
                Target = Bounded(target),
                Decision = "deny",
                Code = code,
                Stage = "gateway",
                Reason = reason,
                PolicyRevision = _guard.PolicyRevision,
            },
            ct).ConfigureAwait(false);
        return decisionId;
    }

    private static string? Bounded(string? text) => text is { Length: > 256 } ? text[..256] : text;

    private static JsonObject Denied(GuardDenial denial, string decisionId) => DenialText.ToolResult(denial, decisionId, stateless: false);

    private static JsonObject Failed(string text) => new()
    {
        ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text }),
        ["isError"] = true,
    };

    private static CallToolResult Typed(JsonObject result) => result.Deserialize(TypeOf<CallToolResult>())!;

    private static McpProtocolException Refused(GuardDenial denial, string decisionId) =>
        new(DenialText.For(denial.Code, denial.ModelMessage, denial.RetryAfter, decisionId), McpErrorCode.InvalidRequest);
}
