using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Mcp.Guard.Approvals;
using Mcp.Guard.Hosting;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.Consent;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>A guarded server whose tools a gateway offers: one connection for all users, made when it is needed and made again when it has ended.</summary>
internal sealed class GatewayForward(McpGuardHost guard, string serverId, Func<IClientTransport>? transport, TimeSpan consentTimeout) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly string _prefix = QualifiedToolName.Compose(serverId, string.Empty) is { Length: <= 40 } whole ? whole : string.Empty;
    private readonly ForwardedElicitation _elicitation = new(guard.Runtime.Consent, consentTimeout, guard.Runtime.Time);
    private Task<McpClient>? _connecting;
    private long _failedAt;
    private bool _disposed;
    private long _listedAt;
    private FrozenDictionary<string, string> _tools = FrozenDictionary<string, string>.Empty;

    public string ServerId => serverId;

    /// <summary>The tools as the gateway offers them: the guarded list, under qualified names.</summary>
    public async Task<IReadOnlyList<Tool>> ListAsync(CancellationToken ct)
    {
        McpClient client = await ConnectAsync(ct).ConfigureAwait(false);
        using var probe = new ConnectionProbe();
        IList<McpClientTool> listed = await client.ListToolsAsync(cancellationToken: ct).ConfigureAwait(false);
        var names = new Dictionary<string, string>(listed.Count, StringComparer.Ordinal);
        var offered = new List<Tool>(listed.Count);
        foreach (McpClientTool tool in listed)
        {
            // A tool whose name another server has too is listed under its qualified name already.
            string exact = probe.Found?.Tools.ExactNameOf(tool.ProtocolTool.Name) ?? tool.ProtocolTool.Name;
            string qualified = QualifiedToolName.Compose(serverId, exact);
            if (names.TryAdd(qualified, exact))
            {
                offered.Add(Renamed(tool.ProtocolTool, qualified));
            }
        }

        Volatile.Write(ref _tools, names.ToFrozenDictionary(StringComparer.Ordinal));
        Volatile.Write(ref _listedAt, guard.Runtime.Time.GetTimestamp());
        return offered;
    }

    /// <summary>The server's own name of an offered tool; null where it offers none of that name. Lists first where the name is not known, at most every two seconds.</summary>
    public async ValueTask<string?> FindAsync(string qualified, CancellationToken ct)
    {
        // A name of another server cannot become one of this server by listing. Of a very long id only the head stands in a shortened name.
        if (!qualified.StartsWith(_prefix, StringComparison.Ordinal))
        {
            return null;
        }

        if (Volatile.Read(ref _tools).TryGetValue(qualified, out string? known))
        {
            return known;
        }

        long listed = Volatile.Read(ref _listedAt);
        if (listed != 0 && guard.Runtime.Time.GetElapsedTime(listed) < Pause)
        {
            return null;
        }

        await ListAsync(ct).ConfigureAwait(false);
        return Volatile.Read(ref _tools).TryGetValue(qualified, out string? found) ? found : null;
    }

    /// <summary>Calls a tool through the guarded connection, where the call is judged on behalf of the ambient caller.</summary>
    public async Task<CallToolResult> CallAsync(string tool, IDictionary<string, JsonElement>? arguments, CancellationToken ct)
    {
        McpClient client = await ConnectAsync(ct).ConfigureAwait(false);
        CallToolResult result = await client.CallToolAsync(new CallToolRequestParams { Name = tool, Arguments = arguments }, ct).ConfigureAwait(false);
        result.ResultType = null; // of the other connection, whose protocol version may differ
        return result;
    }

    public async ValueTask DisposeAsync()
    {
        Task<McpClient>? connecting;
        lock (_gate)
        {
            _disposed = true;
            connecting = _connecting;
        }

        if (connecting is not null)
        {
            await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (connecting.IsCompletedSuccessfully)
            {
                await connecting.Result.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

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

        return connecting.WaitAsync(ct);
    }

    private async Task<McpClient> OpenAsync()
    {
        try
        {
            var options = new McpClientOptions { Handlers = new McpClientHandlers { ElicitationHandler = _elicitation.AskAsync } };
            return transport is null
                ? await guard.ConnectAsync(serverId, options).ConfigureAwait(false)
                : await guard.ConnectAsync(serverId, transport(), options, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception)
        {
            Volatile.Write(ref _failedAt, guard.Runtime.Time.GetTimestamp());
            throw;
        }
    }

    private static Tool Renamed(Tool tool, string name)
    {
        var type = (JsonTypeInfo<Tool>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Tool));
        var node = (JsonObject)JsonSerializer.SerializeToNode(tool, type)!;
        node["name"] = name;
        return node.Deserialize(type)!;
    }
}
