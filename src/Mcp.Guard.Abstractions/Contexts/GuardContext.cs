using System.Text.Json;

namespace Mcp.Guard;

/// <summary>One message as the stages see it.</summary>
public abstract class GuardContext
{
    /// <summary>Which kind of message this is.</summary>
    public abstract GuardBoundary Boundary { get; }

    /// <summary>The server at the other end.</summary>
    public abstract McpServerIdentity Server { get; }

    /// <summary>On whose behalf.</summary>
    public abstract GuardCaller Caller { get; }

    /// <summary>The id under which the audit holds this decision (UUID version 7).</summary>
    public abstract string DecisionId { get; }

    /// <summary>The JSON-RPC method of the message, or of the request that it answers.</summary>
    public abstract string Method { get; }

    /// <summary>The judged value: <c>params</c> of a request or notification, <c>result</c> of an answer. Undefined where the message has none.</summary>
    public abstract JsonElement Payload { get; }

    /// <summary>The negotiated protocol version, or null before it is known.</summary>
    public abstract string? ProtocolVersion { get; }

    /// <summary>The hash of the policy in force for this evaluation.</summary>
    public abstract string PolicyRevision { get; }
}
