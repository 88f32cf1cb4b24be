using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// A request of a server that a person is asked about: shown with the call that it belongs to, bound to its exact payload, never by a grant for the call, and
/// no answer lasts.
/// </summary>
internal sealed class ServerRequestConsentSubject(ServerRequestContext asked) : ConsentSubject(asked.Call!), IConsentSubject
{
    private readonly JsonElement _payload = asked.Current;
    private readonly string? _digest = Json.ArgumentsDigest.TryCompute(asked.Current, out string? digest) == JsonFault.None ? digest : null;

    string IConsentSubject.DecisionId => asked.DecisionId;

    string IConsentSubject.Method => asked.Method;

    string IConsentSubject.Fingerprint => string.Empty;

    string IConsentSubject.CurrentFingerprint => string.Empty;

    JsonElement IConsentSubject.Definition => default;

    JsonElement IConsentSubject.Arguments => _payload;

    string? IConsentSubject.ArgumentsDigest => _digest;

    string IConsentSubject.PolicyRevision => asked.Settings?.Revision ?? string.Empty;

    IReadOnlyList<string> IConsentSubject.Reasons => [.. asked.AskReasons!.Select(reason => reason.Reason).Distinct(StringComparer.Ordinal)];

    bool IConsentSubject.IsDestructive => false;

    bool IConsentSubject.IsOpenWorld => true;

    ToolDifferences IConsentSubject.Differences => ToolDifferences.None;

    ValueTask<string?> IConsentSubject.AgreeToChangeAsync(CancellationToken ct) => new((string?)null);

    ConsentScopes IConsentSubject.Permitted => ConsentScopes.Once;
}
