using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>
/// One guarded connection that two use: the SDK's client, and the gateway's calls of tools beside it. A call goes straight into the guarded transport, which judges it
/// like any other, and its judged reply straight back to who waits for it, on the thread that judged it, without the client's queue and its objects.
/// </summary>
internal sealed class ForwardedCalls : ITransport
{
    /// <summary>The ids of these calls; those of the SDK's client are numbers.</summary>
    private const string IdPrefix = "gateway-call-";

    private const string ProtocolVersionKey = "io.modelcontextprotocol/protocolVersion";
    private const int MaxRounds = 10;

    private static readonly string[] OfClient = [ProtocolVersionKey, "io.modelcontextprotocol/clientInfo", "io.modelcontextprotocol/clientCapabilities"];

    private readonly GuardedTransport _guarded;
    private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonRpcMessage>> _waiting = new(StringComparer.Ordinal);
    private long _last;
    private JsonElement _client;
    private string? _version;

    public ForwardedCalls(GuardedTransport guarded)
    {
        _guarded = guarded;
        ((ClientQueue)guarded.MessageReader).Taken = TryTake;
    }

    public string? SessionId => _guarded.SessionId;

    public ChannelReader<JsonRpcMessage> MessageReader => _guarded.MessageReader;

    /// <summary>True once the SDK's client has listed the tools: before, what it says of itself with each request is not known.</summary>
    public bool IsReady { get; private set; }

    public Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        if (!IsReady && message is JsonRpcRequest { Method: MethodTable.ToolsList } list)
        {
            Learn(list);
        }

        return _guarded.SendMessageAsync(message, cancellationToken);
    }

    public ValueTask DisposeAsync() => _guarded.DisposeAsync();

    /// <summary>Calls a tool on behalf of the ambient caller.</summary>
    /// <param name="tool">The server's own name.</param>
    /// <param name="arguments">As the client gave them; undefined for none.</param>
    /// <param name="progressToken">Null where nobody wants progress.</param>
    /// <param name="logLevel">Null where the request asks for no log lines.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The judged result.</returns>
    /// <exception cref="McpProtocolException">The server's error, judged too.</exception>
    public async Task<JsonObject> CallAsync(string tool, JsonElement arguments, string? progressToken, string? logLevel, CancellationToken ct)
    {
        var parameters = new JsonObject { ["name"] = tool };
        if (arguments.ValueKind == JsonValueKind.Object)
        {
            parameters["arguments"] = JsonObject.Create(arguments);
        }

        JsonObject? meta = _client.ValueKind == JsonValueKind.Object ? JsonObject.Create(_client) : null;
        if (progressToken is not null)
        {
            (meta ??= [])["progressToken"] = progressToken;
        }

        if (logLevel is not null && _version is not null)
        {
            (meta ??= [])["io.modelcontextprotocol/logLevel"] = logLevel;
        }

        if (meta is not null)
        {
            parameters["_meta"] = meta;
        }

        for (int round = 0; round < MaxRounds; round++)
        {
            JsonObject result = await SendAsync(parameters, ct).ConfigureAwait(false);
            if (_version is null || !result.TryGetPropertyValue("resultType", out JsonNode? type) || type is not JsonValue named
                || named.GetValueKind() != JsonValueKind.String || named.GetValue<string>() != "input_required")
            {
                return result;
            }

            parameters = Retry(parameters, result);
        }

        throw new McpException($"The server asked back more than {MaxRounds} times.");
    }

    private async Task<JsonObject> SendAsync(JsonObject parameters, CancellationToken ct)
    {
        string id = IdPrefix + Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture);

        // Who waits goes on in the thread that judged the reply.
        var waiting = new TaskCompletionSource<JsonRpcMessage>();
        _waiting[id] = waiting;
        try
        {
            var request = new JsonRpcRequest { Id = new RequestId(id), Method = MethodTable.ToolsCall, Params = parameters, Context = new JsonRpcMessageContext { ProtocolVersion = _version } };
            await _guarded.SendMessageAsync(request, ct).ConfigureAwait(false);
            return await waiting.Task.WaitAsync(ct).ConfigureAwait(false) switch
            {
                JsonRpcResponse { Result: JsonObject result } => result,
                JsonRpcError error => throw Fault(error.Error),
                _ => throw new McpException("The result of the call is not an object."),
            };
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    private bool TryTake(JsonRpcMessage message)
    {
        if (message is not JsonRpcMessageWithId { Id.Id: string id } reply || message is JsonRpcRequest || !id.StartsWith(IdPrefix, StringComparison.Ordinal))
        {
            return false;
        }

        // One that nobody waits for any more is of no use to the client either.
        if (_waiting.TryRemove(id, out TaskCompletionSource<JsonRpcMessage>? waiting))
        {
            waiting.TrySetResult(reply);
        }

        return true;
    }

    /// <summary>With 2026-07-28 a client says with every request what it is; what the SDK's client says of this connection is said by the gateway's calls too.</summary>
    private void Learn(JsonRpcRequest list)
    {
        if (list.Params is JsonObject parameters && parameters["_meta"] is JsonObject said && said[ProtocolVersionKey] is JsonValue version)
        {
            var kept = new JsonObject();
            foreach (string key in OfClient)
            {
                if (said[key] is { } value)
                {
                    kept[key] = value.DeepClone();
                }
            }

            _version = version.GetValue<string>();
            _client = JsonElement.Parse(kept.ToJsonString());
        }

        IsReady = true;
    }

    /// <summary>
    /// The request again with what the server asked for. Where neither sampling nor elicitation is allowed, which is where these calls are used, the guarded transport
    /// lets no question through but the one for roots.
    /// </summary>
    private JsonObject Retry(JsonObject parameters, JsonObject asked)
    {
        var answers = new JsonObject();
        foreach (var (key, question) in asked["inputRequests"] as JsonObject ?? [])
        {
            if (question is not JsonObject request || request["method"] is not JsonValue method || method.GetValue<string>() != RequestMethods.RootsList)
            {
                throw new McpException("The server asks for what the policy does not allow.");
            }

            answers[key] = ServerAnswers.RootsResult(_guarded.State.Settings(_guarded.State.Policy));
        }

        JsonNode? state = asked["requestState"];
        if (answers.Count == 0 && state is null)
        {
            throw new McpException("The server asked back without a question.");
        }

        var again = (JsonObject)parameters.DeepClone();
        again.Remove("inputResponses");
        again.Remove("requestState");
        if (answers.Count > 0)
        {
            again["inputResponses"] = answers;
        }

        if (state is not null)
        {
            again["requestState"] = state.DeepClone();
        }

        return again;
    }

    private static McpProtocolException Fault(JsonRpcErrorDetail error)
    {
        var fault = new McpProtocolException(error.Message, (McpErrorCode)error.Code);
        if (error.Data is JsonElement { ValueKind: JsonValueKind.Object } data)
        {
            foreach (JsonProperty member in data.EnumerateObject())
            {
                fault.Data[member.Name] = member.Value;
            }
        }

        return fault;
    }
}
