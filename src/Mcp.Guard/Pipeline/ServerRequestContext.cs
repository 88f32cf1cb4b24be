using System.Text.Json;

namespace Mcp.Guard.Pipeline;

/// <summary>A request from the server, bound to the call that caused it.</summary>
internal sealed class ServerRequestContext(ConnectionState connection, RequestContext? cause, GuardCaller caller, string decisionId, string method, JsonElement payload)
    : GuardServerRequestContext
{
    public override McpServerIdentity Server => connection.Server;

    public override GuardCaller Caller => caller;

    public override string DecisionId => decisionId;

    public override string Method => method;

    public override JsonElement Payload => Current;

    public override string? ProtocolVersion => connection.ProtocolVersion;

    public override string PolicyRevision => connection.Policy.Revision;

    public override GuardRequestContext? Cause => cause;

    /// <summary>The connection it came over.</summary>
    public ConnectionState Connection => connection;

    /// <summary>The payload as changed so far.</summary>
    public JsonElement Current { get; set; } = payload;
}
