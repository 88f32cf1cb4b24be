using System.Text.Json;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Pipeline;

/// <summary>The answer to a forwarded request, with the changes that result stages made to it.</summary>
internal sealed class ResultContext(RequestContext request, JsonElement payload, bool isError) : GuardResultContext
{
    public override McpServerIdentity Server => request.Server;

    public override GuardCaller Caller => request.Caller;

    public override string DecisionId => request.DecisionId;

    public override string Method => request.Method;

    public override string? ProtocolVersion => request.ProtocolVersion;

    public override string PolicyRevision => request.PolicyRevision;

    public override JsonElement Payload => Current;

    public override GuardRequestContext Request => request;

    public override bool IsError => isError;

    /// <summary>The request with what the guard keeps of it.</summary>
    public RequestContext Call => request;

    /// <summary>The payload as changed so far.</summary>
    public JsonElement Current { get; set; } = payload;

    /// <summary>Stage and code of each change, for the audit.</summary>
    public List<string>? Changes { get; set; }

    /// <summary>What the sanitiser found, for the audit.</summary>
    public ContentFlags Findings { get; set; }

    /// <summary>What the policy says about the content of the result: that of the rules that matched the call, or of its server.</summary>
    public ContentControls Controls => field ??= ContentControls.Of(this);

    /// <summary>Why a person must be asked before the result is delivered, in the order of the stages.</summary>
    public List<GuardAskReason>? AskReasons { get; set; }
}
