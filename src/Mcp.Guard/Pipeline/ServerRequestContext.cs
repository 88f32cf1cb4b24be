using System.Text.Json;
using Mcp.Guard.Policy;

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

    /// <summary>The call that caused it.</summary>
    public RequestContext? Call => cause;

    /// <summary>False where several calls of the caller are open, and <see cref="Call"/> is one of them.</summary>
    public bool IsCallCertain { get; init; } = true;

    /// <summary>The server's part of the policy in force; null where it no longer names the server.</summary>
    public ServerSettings? Settings => connection.Settings(connection.Policy);

    /// <summary>The payload as changed so far.</summary>
    public JsonElement Current { get; set; } = payload;

    /// <summary>Why a person is to be asked first.</summary>
    public List<GuardAskReason>? AskReasons { get; private set; }

    /// <summary>Whether the request waited for a person: what was judged before is judged again.</summary>
    public bool WasHeld { get; set; }

    /// <summary>Adds a reason to ask, once.</summary>
    public void Ask(string stage, string code, string reason)
    {
        var asked = new GuardAskReason(stage, code, reason);
        AskReasons ??= [];
        if (!AskReasons.Contains(asked))
        {
            AskReasons.Add(asked);
        }
    }
}
