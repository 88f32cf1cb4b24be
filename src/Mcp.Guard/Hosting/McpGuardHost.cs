using Mcp.Guard.Approvals;
using Mcp.Guard.Audit;
using Mcp.Guard.Isolation;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ServerAdmission;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>The guard of one host.</summary>
internal sealed class McpGuardHost(GuardRuntime runtime, ServerTransportFactory transports, AuditSinks audit, IReadOnlyList<IAsyncDisposable> owned, AuditRecord startRecord)
    : IMcpGuard, IAsyncDisposable, IDisposable
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private IDisposable? _policySubscription;
    private Exception? _policyError;
    private volatile bool _started;

    /// <summary>True once the start is on record.</summary>
    public bool IsStarted => _started;

    public GuardRuntime Runtime => runtime;

    public IMcpHostPolicy Policy => runtime.Pipeline;

    /// <summary>Where the records go.</summary>
    public AuditSinks Audit => audit;

    /// <summary>Why the newest change of the policy was refused; null where it is in force.</summary>
    public Exception? PolicyError => Volatile.Read(ref _policyError);

    public IToolReviews Reviews => runtime.Reviews;

    public string PolicyRevision => runtime.Policy.Current.Revision;

    /// <summary>Reads the stops and records the start. Runs once; without a host at the first connection.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        if (_started)
        {
            return;
        }

        await _starting.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_started)
            {
                return;
            }

            if (audit.Files is { } files)
            {
                await files.StartAsync(ct).ConfigureAwait(false);
            }

            await runtime.Pipeline.Audit.WriteRequiredEventAsync(startRecord, ct).ConfigureAwait(false);
            runtime.Halts.Changed = EndHalted;
            await runtime.Halts.StartAsync(ct).ConfigureAwait(false);
            _policySubscription = runtime.Policy.OnChange(RecordPolicyChange);
            _started = true;
        }
        finally
        {
            _starting.Release();
        }
    }

    public IDisposable BeginScope(GuardCaller caller) => AmbientCaller.Begin(caller);

    public Task<McpClient> ConnectAsync(string serverId, McpClientOptions? options = null, CancellationToken ct = default) =>
        ConnectAsync(serverId, transport: null, options, relay: null, share: null, ct);

    /// <summary>The same for a gateway.</summary>
    /// <param name="serverId">The server's id in the policy.</param>
    /// <param name="transport">The host's own, for a server that the policy leaves to it; null where the guard makes it.</param>
    /// <param name="options">Options of the client.</param>
    /// <param name="relay">Takes the judged notifications of the server; see <see cref="GuardedTransport.Relay"/>.</param>
    /// <param name="share">See <see cref="GuardedClientTransport.Share"/>.</param>
    /// <param name="ct">Cancels connecting.</param>
    public async Task<McpClient> ConnectAsync(
        string serverId, IClientTransport? transport, McpClientOptions? options, Func<JsonRpcNotification, bool>? relay, Func<GuardedTransport, ITransport>? share, CancellationToken ct)
    {
        ServerSettings settings = await SettingsAsync(serverId, ct).ConfigureAwait(false);
        GuardedClientTransport guarded;
        if (transport is null)
        {
            var bounds = new ReplyBounds(perRequest: settings.Endpoint is UrlEndpoint { Transport: not UrlTransport.Sse });
            IClientTransport inner = await transports.CreateAsync(settings, bounds, ct).ConfigureAwait(false);
            guarded = new GuardedClientTransport(runtime, settings.Identity, inner, byGuard: true) { ConnectedBy = AmbientCaller.Current, Bounds = bounds, Relay = relay, Share = share };
        }
        else
        {
            guarded = new GuardedClientTransport(runtime, settings.Identity, transport, byGuard: false) { ConnectedBy = AmbientCaller.Current, Relay = relay, Share = share };
        }

        return await ConnectAsync(settings, guarded, options, ct).ConfigureAwait(false);
    }

    private async Task<McpClient> ConnectAsync(ServerSettings settings, GuardedClientTransport guarded, McpClientOptions? options, CancellationToken ct)
    {
        McpClientOptions own = ClientOptionsFilter.Apply(options, settings);

        // The client's read loop keeps the ambient context that it was started in; another caller's handlers must not run in it.
        Task<McpClient> connecting;
        using (ExecutionContext.SuppressFlow())
        {
#pragma warning disable RS0030 // The one place that makes a client: over the guarded transport.
            connecting = Task.Run(() => McpClient.CreateAsync(guarded, own, runtime.Loggers, ct), ct);
#pragma warning restore RS0030
        }

        return await connecting.ConfigureAwait(false);
    }

    public IClientTransport Protect(string serverId, IClientTransport transport)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(serverId);
        ArgumentNullException.ThrowIfNull(transport);
        if (!runtime.Policy.Current.Servers.TryGetValue(serverId, out ServerSettings? settings))
        {
            throw new McpGuardException(GuardDenialCodes.ServerNotAllowed, string.Empty, retryAfter: null);
        }

        if (transport is GuardedClientTransport guarded)
        {
            return ReferenceEquals(guarded.Runtime, runtime) && guarded.Server.Equals(settings.Identity)
                ? guarded
                : throw new ArgumentException("The transport is guarded already, for another server or by another guard.", nameof(transport));
        }

        return new GuardedClientTransport(runtime, settings.Identity, transport, byGuard: false);
    }

    public async Task<IList<AITool>> ListToolsAsync(McpClient client, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        using var probe = new ConnectionProbe();
        IList<McpClientTool> tools = await client.ListToolsAsync(cancellationToken: ct).ConfigureAwait(false);
        ConnectionState connection = probe.Found is { } found && ReferenceEquals(found.Runtime, runtime)
            ? found
            : throw new ArgumentException("The client does not go through this guard: connect it with IMcpGuard.ConnectAsync, or over a transport of IMcpGuard.Protect.", nameof(client));
        return [.. tools.Select(tool => GuardedAIFunction.Wrap(tool, connection))];
    }

    public IClientTransport Protect(string serverId, Func<HttpClient, IClientTransport> create)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(serverId);
        ArgumentNullException.ThrowIfNull(create);
        if (!runtime.Policy.Current.Servers.TryGetValue(serverId, out ServerSettings? settings))
        {
            throw new McpGuardException(GuardDenialCodes.ServerNotAllowed, string.Empty, retryAfter: null);
        }

        if (settings.Endpoint is not UrlEndpoint url)
        {
            throw new ArgumentException($"The server '{serverId}' is not reached by \"url\".", nameof(serverId));
        }

        var bounds = new ReplyBounds(perRequest: url.Transport != UrlTransport.Sse);
        AdmissionHandler handler = transports.CreateHandler(settings, url, bounds);
        HttpClient client = ServerTransportFactory.CreateClient(handler);
        IClientTransport transport;
        try
        {
            transport = create(client) ?? throw new ArgumentException("The delegate made no transport.", nameof(create));
        }
        catch
        {
            client.Dispose();
            throw;
        }

        return transport is GuardedClientTransport
            ? throw new ArgumentException("The transport is guarded already.", nameof(create))
            : new GuardedClientTransport(runtime, settings.Identity, new ProvenHttpTransport(serverId, transport, handler, runtime.Loggers.CreateLogger("Mcp.Guard")), byGuard: true) { Bounds = bounds };
    }

    public string DescribeIsolation(string serverId)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(serverId);
        return runtime.Policy.Current.Servers.TryGetValue(serverId, out ServerSettings? settings)
            ? transports.Describe(settings)
            : throw new McpGuardException(GuardDenialCodes.ServerNotAllowed, string.Empty, retryAfter: null);
    }

    /// <summary>The same as a plan, on the machine that is given.</summary>
    public IsolationPlan PlanIsolation(ServerSettings settings, IsolationHost host) => transports.Plan(settings, host);

    public bool AdmitsAuthorizationUrl(string serverId, Uri url)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(serverId);
        ArgumentNullException.ThrowIfNull(url);
        return url.IsAbsoluteUri && runtime.Policy.Current.Servers.TryGetValue(serverId, out ServerSettings? settings) && settings.Endpoint is UrlEndpoint endpoint
            && AuthorizationUrls.Create(endpoint.AuthorizationUrls) is { Problems.Count: 0 } listed
            && listed.Check(url.OriginalString).IsAllowed && listed.Check(url.AbsoluteUri).IsAllowed;
    }

    public GuardConnection OpenConnection(string serverId)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(serverId);
        return runtime.Policy.Current.Servers.TryGetValue(serverId, out ServerSettings? settings)
            ? new GuardConnection(new ConnectionState(runtime, settings.Identity))
            : throw new McpGuardException(GuardDenialCodes.ServerNotAllowed, string.Empty, retryAfter: null);
    }

    public async ValueTask HaltAsync(HaltScope scope, string reason, CancellationToken ct = default)
    {
        // In force in this process first: neither the store nor the audit can delay a stop.
        try
        {
            await runtime.Halts.HaltAsync(scope, reason, ct).ConfigureAwait(false);
        }
        finally
        {
            await RecordHaltAsync("halt", scope, reason, ct).ConfigureAwait(false);
        }
    }

    public async ValueTask<bool> ResumeAsync(HaltScope scope, CancellationToken ct = default)
    {
        // On record before it takes effect: no call may run that the audit shows as stopped.
        await RecordHaltAsync("resume", scope, null, ct).ConfigureAwait(false);
        return await runtime.Halts.ResumeAsync(scope, ct).ConfigureAwait(false);
    }

    public ServerLoad LoadOf(string serverId)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(serverId);
        var (running, waiting, abandoned) = runtime.Pipeline.Gate.CountOf(serverId);
        return new ServerLoad(running, waiting, abandoned);
    }

    public async ValueTask DisposeAsync()
    {
        runtime.Halts.Dispose();
        _policySubscription?.Dispose();
        foreach (IAsyncDisposable part in owned.Reverse())
        {
            await part.DisposeAsync().ConfigureAwait(false);
        }

        _starting.Dispose();
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private async Task<ServerSettings> SettingsAsync(string serverId, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(serverId);
        await StartAsync(ct).ConfigureAwait(false);
        PolicySnapshot policy = runtime.Policy.Current;
        if (policy.Servers.TryGetValue(serverId, out ServerSettings? settings))
        {
            return settings;
        }

        GuardCaller? caller = AmbientCaller.Current;
        string decisionId = DecisionIds.Next(runtime.Time);
        await runtime.Pipeline.Audit.WriteEventAsync(
            new AuditRecord
            {
                Kind = AuditKind.Connection,
                Time = runtime.Time.GetUtcNow(),
                DecisionId = decisionId,
                UserId = caller?.UserId,
                SessionId = caller?.SessionId,
                Server = serverId,
                Method = "connect",
                Decision = "deny",
                Code = GuardDenialCodes.ServerNotAllowed,
                Stage = "server-admission",
                Reason = "the policy names no such server",
                PolicyRevision = policy.Revision,
            },
            ct).ConfigureAwait(false);
        throw new McpGuardException(GuardDenialCodes.ServerNotAllowed, decisionId, retryAfter: null);
    }

    private void EndHalted()
    {
        foreach (Halt halt in runtime.Halts.InForce)
        {
            runtime.Connections.Halt(halt);
        }
    }

    private ValueTask RecordHaltAsync(string decision, HaltScope scope, string? reason, CancellationToken ct)
    {
        GuardCaller? caller = AmbientCaller.Current;
        return runtime.Pipeline.Audit.WriteRequiredEventAsync(
            new AuditRecord
            {
                Kind = AuditKind.Halt,
                Time = runtime.Time.GetUtcNow(),
                UserId = scope.UserId,
                SessionId = caller?.SessionId,
                AnsweredBy = caller?.UserId,
                Server = scope.Server,
                Target = scope.Tool,
                Decision = decision,
                Reason = reason,
                PolicyRevision = PolicyRevision,
            },
            ct);
    }

    private void RecordPolicyChange(PolicyChange change)
    {
        Volatile.Write(ref _policyError, change.Error);
        HostingLog.PolicyChanged(runtime.Pipeline.Logger, change.Current.Revision, change.Error is null ? "in force" : "refused; the last good policy stays", change.Error);
        _ = runtime.Pipeline.Audit.WriteEventAsync(
            new AuditRecord
            {
                Kind = AuditKind.Policy,
                Time = runtime.Time.GetUtcNow(),
                Decision = change.Error is null ? "reload" : "refuse",
                Reason = change.Error?.Message,
                PolicyRevision = change.Current.Revision,
            },
            CancellationToken.None).AsTask();
    }
}
