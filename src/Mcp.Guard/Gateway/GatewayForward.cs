using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Mcp.Guard.Approvals;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>
/// A guarded server that a gateway passes requests on to: one connection for all users, made when it is needed and made again when it has ended. Each request
/// is judged at its transport on behalf of the ambient caller.
/// </summary>
internal sealed partial class GatewayForward(
    McpGuardHost guard, string serverId, Func<IClientTransport>? transport, GatewayAudience audience, bool qualifies, TimeSpan consentTimeout, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly string _prefix = qualifies && QualifiedToolName.Compose(serverId, string.Empty) is { Length: <= 40 } whole ? whole : string.Empty;
    private readonly ForwardedElicitation _elicitation = new(guard.Runtime.Consent, consentTimeout, guard.Runtime.Time);
    private Task<McpClient>? _connecting;
    private ServerQuestions _offered;
    private int _inUse;
    private ForwardedCalls? _beside;
    private volatile Task? _warming;
    private long _failedAt;
    private bool _disposed;
    private long _toolsListedAt;
    private FrozenDictionary<string, string> _tools = FrozenDictionary<string, string>.Empty;

    public string ServerId => serverId;

    /// <summary>The tools as the gateway offers them: the guarded list, under qualified names.</summary>
    public async Task<IReadOnlyList<Tool>> ListToolsAsync(CancellationToken ct)
    {
        using ConnectionUse use = Use();
        McpClient client = await ConnectAsync(ct).ConfigureAwait(false);
        using var probe = new ConnectionProbe();
        IList<McpClientTool> listed = await client.ListToolsAsync(cancellationToken: ct).ConfigureAwait(false);
        var names = new Dictionary<string, string>(listed.Count, StringComparer.Ordinal);
        var offered = new List<Tool>(listed.Count);
        foreach (McpClientTool tool in listed)
        {
            // A tool whose name another server has too is listed under its qualified name already.
            string exact = probe.Found?.Tools.ExactNameOf(tool.ProtocolTool.Name) ?? tool.ProtocolTool.Name;
            string shown = NameOf(exact);
            if (names.TryAdd(shown, exact))
            {
                offered.Add(With(tool.ProtocolTool, "name", shown));
            }
        }

        Volatile.Write(ref _tools, names.ToFrozenDictionary(StringComparer.Ordinal));
        Volatile.Write(ref _toolsListedAt, guard.Runtime.Time.GetTimestamp());
        return offered;
    }

    /// <summary>The server's own name of an offered tool; null where it offers none of that name. Lists first where the name is not known, at most every two seconds.</summary>
    public async ValueTask<string?> FindToolAsync(string shown, CancellationToken ct)
    {
        // A name of another server cannot become one of this server by listing. Of a very long id only the head stands in a shortened name.
        if (!shown.StartsWith(_prefix, StringComparison.Ordinal))
        {
            return null;
        }

        if (Volatile.Read(ref _tools).TryGetValue(shown, out string? known))
        {
            return known;
        }

        if (_warming is { IsCompleted: false } warming)
        {
            // The first call comes while the server starts: one list is enough.
            await warming.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
            if (Volatile.Read(ref _tools).TryGetValue(shown, out known))
            {
                return known;
            }
        }

        if (IsFresh(Volatile.Read(ref _toolsListedAt)))
        {
            return null;
        }

        await ListToolsAsync(ct).ConfigureAwait(false);
        return Volatile.Read(ref _tools).TryGetValue(shown, out string? found) ? found : null;
    }

    /// <summary>Calls a tool through the guarded connection. Neither the arguments nor the result are read as objects of the SDK: what was judged is what is sent.</summary>
    public async Task<JsonObject> CallAsync(string tool, JsonElement arguments, RelayedCall call, CancellationToken ct)
    {
        using ConnectionUse use = Use();
        McpClient client = await ConnectAsync(ct).ConfigureAwait(false);

        // In this order: a connection forgets the users of the one before it is shared, so that whoever goes over it is noted as its user.
        ForwardedCalls? shared = Volatile.Read(ref _beside);
        NoteUser(call.Caller);
        _calls[call.Token] = call;
        try
        {
            return Detached(shared is { IsReady: true } beside
                ? await beside.CallAsync(tool, arguments, call.WantsProgress ? call.Token : null, call.Level is { } level ? LogLevels.NameOf(level) : null, ct).ConfigureAwait(false)
                : await CallThroughAsync(client, tool, arguments, call, ct).ConfigureAwait(false));
        }
        finally
        {
            await EndAsync(call, ct).ConfigureAwait(false);
        }
    }

    /// <summary>The same through the SDK's client, which answers what the server asks back.</summary>
    private static async Task<JsonObject> CallThroughAsync(McpClient client, string tool, JsonElement arguments, RelayedCall call, CancellationToken ct)
    {
        var parameters = new JsonObject { ["name"] = tool };
        if (arguments.ValueKind == JsonValueKind.Object)
        {
            parameters["arguments"] = JsonObject.Create(arguments);
        }

        if (MetaOf(client, call) is { } meta)
        {
            parameters["_meta"] = meta;
        }

        JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest { Method = MethodTable.ToolsCall, Params = parameters }, ct).ConfigureAwait(false);
        return response.Result as JsonObject ?? throw new McpException("The result of the call is not an object.");
    }

    /// <summary>
    /// Whether calls go through the SDK's client: the policy lets the server ask a model or a person within a call, or it is, or may be, reached over HTTP, whose
    /// requests the client gives their headers.
    /// </summary>
    private bool NeedsClient() => transport is not null || Settings is not { } settings || settings.Sampling.Allowed || settings.Elicitation.Allowed || settings.Endpoint is UrlEndpoint;

    private ServerSettings? Settings => guard.Runtime.Policy.Current.Servers.GetValueOrDefault(serverId);

    private ForwardedCalls Share(GuardedTransport guarded)
    {
        var shared = new ForwardedCalls(guarded);
        Volatile.Write(ref _beside, shared);
        return shared;
    }

    public async ValueTask DisposeAsync()
    {
        Task<McpClient>? connecting;
        lock (_gate)
        {
            _disposed = true;
            connecting = _connecting;
        }

        await _ending.CancelAsync().ConfigureAwait(false);
        if (connecting is not null)
        {
            await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (connecting.IsCompletedSuccessfully)
            {
                await connecting.Result.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Makes the connection where there is none, so that the first request does not wait for it. A failure shows with the first request too.</summary>
    public Task WarmAsync() => _warming = Task.Run(() => ListToolsAsync(CancellationToken.None));

    private string NameOf(string exact) => qualifies ? QualifiedToolName.Compose(serverId, exact) : exact;

    private bool IsFresh(long listedAt) => listedAt != 0 && guard.Runtime.Time.GetElapsedTime(listedAt) < Pause;

    /// <summary>Runs one request for a client: what the server tells of it reaches that client first, then its result.</summary>
    private async Task<TResult> RunAsync<TResult>(RelayedCall call, Func<McpClient, ValueTask<TResult>> request, CancellationToken ct)
        where TResult : Result
    {
        using ConnectionUse use = Use();
        McpClient client = await ConnectAsync(ct).ConfigureAwait(false);
        NoteUser(call.Caller);
        _calls[call.Token] = call;
        TResult result;
        try
        {
            result = await request(client).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync(call, ct).ConfigureAwait(false);
        }

        Detach(result);
        return result;
    }

    /// <summary>What the server told before the end of a request is sent before its result.</summary>
    private ValueTask EndAsync(RelayedCall call, CancellationToken ct)
    {
        _calls.TryRemove(call.Token, out _);
        Task told = call.Told;
        return told.IsCompleted ? default : WaitAsync(told, ct);

        static async ValueTask WaitAsync(Task told, CancellationToken ct) => await told.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Takes from a result what belongs to the other connection, whose protocol version may differ.</summary>
    private static void Detach(Result result)
    {
        result.ResultType = null;
        if (result is ICacheableResult cacheable)
        {
            // Another caller may see something else: nobody between here and the client keeps a copy.
            cacheable.TimeToLive = null;
            cacheable.CacheScope = null;
        }

        if (result.Meta is { } meta)
        {
            meta.Remove("io.modelcontextprotocol/serverInfo");
            result.Meta = meta.Count == 0 ? null : meta;
        }
    }

    /// <summary>The members of a tool's result that every version of the protocol knows; what belongs to the other connection stays behind.</summary>
    private static JsonObject Detached(JsonObject result)
    {
        var kept = new JsonObject();
        Take("content");
        Take("structuredContent");
        Take("isError");
        Take("_meta");
        if (kept["_meta"] is JsonObject meta)
        {
            meta.Remove("io.modelcontextprotocol/serverInfo");
            if (meta.Count == 0)
            {
                kept.Remove("_meta");
            }
        }

        if (!kept.ContainsKey("content"))
        {
            kept["content"] = new JsonArray(); // every version requires it
        }

        return kept;

        void Take(string member)
        {
            if (result.TryGetPropertyValue(member, out JsonNode? value))
            {
                result.Remove(member); // a node has one parent
                kept[member] = value;
            }
        }
    }

    private static JsonObject? MetaOf(McpClient client, RelayedCall call)
    {
        JsonObject? meta = call.WantsProgress ? new JsonObject { ["progressToken"] = call.Token } : null;
        if (call.Level is { } level && MethodTable.IsStateless(client.NegotiatedProtocolVersion))
        {
            (meta ??= [])["io.modelcontextprotocol/logLevel"] = LogLevels.NameOf(level);
        }

        return meta;
    }

    /// <summary>Counts a request from before it has its connection to its end: only one that nobody else uses is given up.</summary>
    private ConnectionUse Use()
    {
        Interlocked.Increment(ref _inUse);
        return new(this);
    }

    /// <summary>The connection for a request that is counted by <see cref="Use"/>.</summary>
    private Task<McpClient> ConnectAsync(CancellationToken ct)
    {
        Task<McpClient> connecting;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_connecting is { IsCompleted: true } ended && !(ended.IsCompletedSuccessfully && !ended.Result.Completion.IsCompleted))
            {
                // A server that cannot be reached is not tried again with every call.
                if (!ended.IsCompletedSuccessfully && guard.Runtime.Time.GetElapsedTime(_failedAt) < Pause)
                {
                    return ended;
                }

                if (ended.IsCompletedSuccessfully)
                {
                    _ = ended.Result.DisposeAsync().AsTask();
                }

                _connecting = null;
            }

            if (_connecting is { IsCompletedSuccessfully: true } made && Volatile.Read(ref _inUse) == 1 && ServerQuestions.Of(Settings).Adds(_offered))
            {
                // What this side can be asked is said when a connection is made. One that the policy has opened since is made again, by a request that is alone on it.
                _ = made.Result.DisposeAsync().AsTask();
                _connecting = null;
            }

            if (_connecting is null)
            {
                // For everybody, so on behalf of nobody: the connection outlives the request that happens to need it first.
                using (ExecutionContext.SuppressFlow())
                {
                    _connecting = Task.Run(OpenAsync, CancellationToken.None);
                }
            }

            connecting = _connecting;
        }

        return connecting.IsCompleted ? connecting : connecting.WaitAsync(ct);
    }

    private async Task<McpClient> OpenAsync()
    {
        try
        {
            var options = new McpClientOptions
            {
                Handlers = new McpClientHandlers { ElicitationHandler = _elicitation.AskAsync, SamplingHandler = ForwardedSampling.AskAsync },
            };
            ForgetUsers();
            _offered = ServerQuestions.Of(Settings);
            Volatile.Write(ref _beside, null); // the policy may say otherwise of this connection, and then nothing goes over the one that has ended
            McpClient client = await guard.ConnectAsync(serverId, transport?.Invoke(), options, Relay, NeedsClient() ? null : Share, CancellationToken.None).ConfigureAwait(false);
            _ = FollowAsync(client);
            return client;
        }
        catch (Exception)
        {
            Volatile.Write(ref _failedAt, guard.Runtime.Time.GetTimestamp());
            throw;
        }
    }

    private readonly struct ConnectionUse(GatewayForward forward) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref forward._inUse);
    }

    /// <summary>A copy under another name or URI; every other member as it was read.</summary>
    public static T With<T>(T item, string member, string text)
    {
        var type = (JsonTypeInfo<T>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(T));
        var node = (JsonObject)JsonSerializer.SerializeToNode(item, type)!;
        node[member] = text;
        return node.Deserialize(type)!;
    }
}
