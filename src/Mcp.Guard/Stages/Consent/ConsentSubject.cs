using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Catalog;

namespace Mcp.Guard.Stages.Consent;

/// <summary>A request of the pipeline as the consent service sees it.</summary>
internal class ConsentSubject(RequestContext call) : IConsentSubject
{
    /// <summary>The request.</summary>
    public RequestContext Call => call;

    public string DecisionId => call.DecisionId;

    public McpServerIdentity Server => call.Server;

    public string ServerKey => call.Connection.ServerKey;

    public GuardCaller Caller => call.Caller;

    public string Method => call.Method;

    public string Target => call.TargetName ?? string.Empty;

    public string Fingerprint => call.Kind == RequestKind.ToolCall
        ? call.Connection.Tools.Find(call.TargetName!)?.Definition.Fingerprint ?? string.Empty
        : string.Empty;

    public JsonElement Definition => call.Entry?.Definition.Definition ?? default;

    public JsonElement Arguments => call.ArgumentsElement;

    public string? ArgumentsDigest => Json.ArgumentsDigest.TryCompute(call.ArgumentsElement, out string? digest) == JsonFault.None ? digest : null;

    public string PolicyRevision => call.Settings!.Revision;

    public IReadOnlyList<string> Reasons => [.. call.AskReasons!.Select(reason => reason.Reason).Distinct(StringComparer.Ordinal)];

    public bool IsDestructive => call.IsDestructive;

    public bool IsOpenWorld => call.Entry is null || ToolDanger.Weigh(call.Entry.Hints, call.Settings!.Trusted, null).IsOpenWorld;

    public IReadOnlyList<string> Changes => [];

    public ConsentScopes Permitted => ConsentScopes.Once | ConsentScopes.TheseArguments | ConsentScopes.Tool | ConsentScopes.Never;
}
