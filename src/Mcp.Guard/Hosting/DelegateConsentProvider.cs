namespace Mcp.Guard.Hosting;

/// <summary>Asks people through a delegate of the host.</summary>
internal sealed class DelegateConsentProvider(Func<ConsentRequest, CancellationToken, ValueTask<ConsentAnswer>> ask) : IConsentProvider
{
    public ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct) => ask(request, ct);
}
