using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard;

/// <summary>
/// One connection of a host that does not use the SDK. Judge <c>tools/list</c> and complete it with the server's answer first: a tool that the guard has not
/// seen is denied.
/// </summary>
public sealed class GuardConnection
{
    private readonly ConnectionState _state;

    internal GuardConnection(ConnectionState state) => _state = state;

    /// <summary>What the guard knows of the connection.</summary>
    internal ConnectionState State => _state;

    /// <summary>The server.</summary>
    public McpServerIdentity Server => _state.Server;

    /// <summary>Makes the context of a request.</summary>
    /// <param name="method">The JSON-RPC method.</param>
    /// <param name="parameters">Its <c>params</c> as JSON text; empty for none. Text that is not acceptable JSON makes a context that is denied.</param>
    /// <param name="caller">On whose behalf; null is the ambient scope, or the connection where there is none.</param>
    public GuardRequestContext CreateRequest(string method, ReadOnlySpan<byte> parameters, GuardCaller? caller = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(method);
        RequestContext context = _state.CreateRequest(method, caller ?? Hosting.AmbientCaller.Current ?? _state.ConnectionCaller);
        if (parameters.IsEmpty)
        {
            context.SetPayload(RequestPayload.None);
        }
        else if (MessageSnapshot.TryReadRequest(parameters, out RequestPayload payload, out string fault))
        {
            context.SetPayload(MetaFilter.ToServer(payload, context.Settings));
            context.UseExactName();
            ArgumentRedaction.Apply(context);
        }
        else
        {
            context.Fault = fault;
        }

        return context;
    }
}
