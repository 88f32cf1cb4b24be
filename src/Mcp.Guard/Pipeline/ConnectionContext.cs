using System.Text.Json;

namespace Mcp.Guard.Pipeline;

/// <summary>A connection that is about to be made.</summary>
internal sealed class ConnectionContext(ConnectionState connection, GuardCaller caller, string decisionId) : GuardConnectionContext
{
    public override McpServerIdentity Server => connection.Server;

    public override GuardCaller Caller => caller;

    public override string DecisionId => decisionId;

    public override string Method => "connect";

    public override JsonElement Payload => default;

    public override string? ProtocolVersion => null;

    public override string PolicyRevision => connection.Policy.Revision;

    /// <summary>True where the guard made the transport itself, from the policy; false for one that the host built.</summary>
    public bool LaunchedByGuard { get; init; }

    /// <summary>The connection to be.</summary>
    public ConnectionState Connection => connection;
}
