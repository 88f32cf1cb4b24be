using System.Text.Json;

namespace Mcp.Guard.Pipeline;

/// <summary>A notification in either direction.</summary>
internal sealed class NotificationContext(ConnectionState connection, GuardCaller caller, string decisionId, string method, JsonElement payload, bool isFromServer)
    : GuardNotificationContext
{
    public override McpServerIdentity Server => connection.Server;

    public override GuardCaller Caller => caller;

    public override string DecisionId => decisionId;

    public override string Method => method;

    public override JsonElement Payload => Current;

    public override string? ProtocolVersion => connection.ProtocolVersion;

    public override string PolicyRevision => connection.Policy.Revision;

    public override bool IsFromServer => isFromServer;

    /// <summary>The connection it came over.</summary>
    public ConnectionState Connection => connection;

    /// <summary>The payload as changed so far.</summary>
    public JsonElement Current { get; set; } = payload;
}
