namespace Mcp.Guard.Gateway;

/// <summary>A client's subscription to a resource of a guarded server.</summary>
/// <param name="Forward">Whose resource it is.</param>
/// <param name="Uri">The server's own URI.</param>
/// <param name="IsQualified">Whether the client named it in its qualified form, and reads of it in that form.</param>
/// <param name="Caller">On whose behalf.</param>
internal sealed record ResourceSubscription(GatewayForward Forward, string Uri, bool IsQualified, GuardCaller Caller)
{
    /// <summary>Ends the stream of the server that brings the updates, where it is one (2026-07-28).</summary>
    public CancellationTokenSource? Stream { get; set; }

    /// <summary>How the client reads of an updated resource; null where this subscription does not cover it.</summary>
    public string? ShownAs(GatewayForward forward, string updated)
    {
        bool covers = ReferenceEquals(forward, Forward)
            && (string.Equals(updated, Uri, StringComparison.Ordinal)
                || (updated.StartsWith(Uri, StringComparison.Ordinal) && (Uri.EndsWith('/') || updated[Uri.Length] == '/')));
        return !covers ? null : IsQualified ? QualifiedUri.Compose(forward.ServerId, updated) : updated;
    }
}
