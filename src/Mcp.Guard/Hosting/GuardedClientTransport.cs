using Mcp.Guard.Pipeline;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>
/// The enforcement point: decorates a client transport, so that every message in both directions is judged, whatever method of the SDK sent it.
/// Where guarded transports are stacked, the outermost judges and the others are transparent: one evaluation a call.
/// </summary>
internal sealed class GuardedClientTransport(GuardRuntime runtime, McpServerIdentity server, IClientTransport inner, bool byGuard) : IClientTransport
{
    /// <summary>The guard and server whose outer transport is connecting in this flow of control.</summary>
    private static readonly AsyncLocal<(GuardRuntime Runtime, McpServerIdentity Server)?> Connecting = new();

    /// <summary>The caller who connects, where connecting runs outside the caller's flow of control.</summary>
    public GuardCaller? ConnectedBy { get; init; }

    /// <summary>What the guard's own streams below the SDK cut off; null where the host made the transport.</summary>
    public ReplyBounds? Bounds { get; init; }

    /// <summary>See <see cref="GuardedTransport.Relay"/>.</summary>
    public Func<JsonRpcNotification, bool>? Relay { get; init; }

    /// <summary>Stands between the client and the guarded connection, for a host that uses the connection beside it; null for none.</summary>
    public Func<GuardedTransport, ITransport>? Share { get; init; }

    public string Name => inner.Name;

    public McpServerIdentity Server => server;

    public GuardRuntime Runtime => runtime;

    public async Task<ITransport> ConnectAsync(CancellationToken cancellationToken = default)
    {
        if (Connecting.Value is { } outer && ReferenceEquals(outer.Runtime, runtime) && outer.Server.Equals(server))
        {
            return await inner.ConnectAsync(cancellationToken).ConfigureAwait(false);
        }

        await runtime.StartAsync(cancellationToken).ConfigureAwait(false);
        var state = new ConnectionState(runtime, server);
        GuardCaller caller = ConnectedBy ?? AmbientCaller.Current ?? state.ConnectionCaller;
        var context = new ConnectionContext(state, caller, DecisionIds.Next(runtime.Time)) { LaunchedByGuard = byGuard };
        GuardDenial? denial = await runtime.Pipeline.JudgeConnectionAsync(context, cancellationToken).ConfigureAwait(false);
        await RecordAsync(state, context, denial, cancellationToken).ConfigureAwait(false);
        if (denial is not null)
        {
            throw DenialText.Exception(denial, context.DecisionId);
        }

        ITransport connected;
        var before = Connecting.Value;
        Connecting.Value = (runtime, server);
        try
        {
            connected = await inner.ConnectAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not McpGuardException && (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested))
        {
            // Its text may be the server's: an HTTP error body, what a process wrote before it ended.
            HostingLog.TransportFailed(runtime.Pipeline.Logger, server.Id, ServerText.Describe(failure));
            throw NegotiationFault.TryCopy(failure) ?? new McpGuardException(GuardDenialCodes.ServerUnavailable, context.DecisionId, retryAfter: null);
        }
        finally
        {
            Connecting.Value = before;
        }

        var guarded = new GuardedTransport(connected, state) { Bounds = Bounds, Relay = Relay };
        ITransport shared = Share?.Invoke(guarded) ?? guarded;
        guarded.Start();
        return shared;
    }

    private async ValueTask RecordAsync(ConnectionState state, ConnectionContext context, GuardDenial? denial, CancellationToken ct)
    {
        var record = new AuditRecord
        {
            Kind = AuditKind.Connection,
            Time = runtime.Time.GetUtcNow(),
            DecisionId = context.DecisionId,
            UserId = context.Caller.UserId,
            SessionId = context.Caller.SessionId,
            Server = server.Id,
            Method = context.Method,
            Target = server.Endpoint,
            Decision = denial is null ? "admit" : "deny",
            Code = denial?.Code,
            Stage = denial?.Stage,
            Reason = denial?.Reason,
            PolicyRevision = state.Policy.Revision,
        };
        if (denial is not null)
        {
            await runtime.Pipeline.Audit.WriteEventAsync(record, ct).ConfigureAwait(false);
            return;
        }

        try
        {
            await runtime.Pipeline.Audit.WriteRequiredEventAsync(record, ct).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            PipelineLog.AuditFailed(runtime.Pipeline.Logger, AuditKind.Connection, context.DecisionId, failure);
            throw new McpGuardException(GuardDenialCodes.AuditUnavailable, context.DecisionId, retryAfter: null);
        }
    }
}
