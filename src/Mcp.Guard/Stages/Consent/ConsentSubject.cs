using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.ToolPinning;

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

    public string Fingerprint => FingerprintOf(call.Entry);

    public string CurrentFingerprint => call.Kind == RequestKind.ToolCall ? FingerprintOf(call.Connection.Tools.Find(call.TargetName!)) : string.Empty;

    public JsonElement Definition => call.Entry?.Definition.Definition ?? default;

    public JsonElement Arguments => call.ArgumentsElement;

    public string? ArgumentsDigest => call.ArgumentsDigestOrNull;

    public string PolicyRevision => call.Settings!.Revision;

    public IReadOnlyList<string> Reasons => [.. call.AskReasons!.Select(reason => reason.Reason).Distinct(StringComparer.Ordinal)];

    public bool IsDestructive => call.IsDestructive;

    public bool IsOpenWorld => call.Entry is null || ToolDanger.Weigh(call.Entry.Hints, call.Settings!.Trusted, null).IsOpenWorld;

    public ToolDifferences Differences => call.Entry?.Differences ?? ToolDifferences.None;

    // The pins are the host's. Where it tells its users apart, one user's yes is a grant of that user and no approval for the others.
    public async ValueTask<string?> AgreeToChangeAsync(CancellationToken ct)
    {
        ToolEntry entry = call.Entry!;
        return call.Connection.Runtime.NeedsCaller(call.Settings!) ? FingerprintOf(entry)
            : await call.Connection.Runtime.Reviews.AgreeAsync(call.Connection, entry, ct).ConfigureAwait(false) ? entry.Definition.Fingerprint
            : null;
    }

    public ConsentScopes Permitted => ConsentScopes.Once | ConsentScopes.TheseArguments | ConsentScopes.Tool | ConsentScopes.Never;

    private static string FingerprintOf(ToolEntry? entry) => entry switch
    {
        null => string.Empty,
        { Pin: ToolPinState.Changed } => $"{entry.Definition.Fingerprint} in place of {entry.StoredPin?.Fingerprint}",
        _ => entry.Definition.Fingerprint,
    };
}
