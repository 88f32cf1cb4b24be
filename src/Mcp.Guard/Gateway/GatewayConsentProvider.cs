namespace Mcp.Guard.Gateway;

/// <summary>
/// Asks the person at the upstream client whose request caused the call. A call that belongs to no such request, or to another user's, is not asked about:
/// that is denied.
/// </summary>
internal sealed class GatewayConsentProvider : IConsentProvider
{
    public ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        GatewayCall call = GatewayCall.Current is { } current && current.Caller.Equals(request.Caller)
            ? current
            : throw new InvalidOperationException("The call belongs to no request of a client of this gateway, so nobody can be asked.");
        return new ElicitationConsentProvider(call.AskAsync, () => call.CanShowForms).RequestAsync(request, ct);
    }
}
