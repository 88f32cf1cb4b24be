using System.Text.Json;

namespace Mcp.Guard.Pipeline;

/// <summary>The result of a list request, before the model sees it.</summary>
internal sealed class CatalogContext(RequestContext request, JsonElement payload) : GuardCatalogContext
{
    public override McpServerIdentity Server => request.Server;

    public override GuardCaller Caller => request.Caller;

    public override string DecisionId => request.DecisionId;

    public override string Method => request.Method;

    public override JsonElement Payload => Current;

    public override string? ProtocolVersion => request.ProtocolVersion;

    public override string PolicyRevision => request.PolicyRevision;

    /// <summary>The list request that this answers.</summary>
    public RequestContext Request => request;

    /// <summary>The payload as changed so far.</summary>
    public JsonElement Current { get; set; } = payload;

    /// <summary>Stage and code of each change, for the audit.</summary>
    public List<string>? Changes { get; set; }
}
