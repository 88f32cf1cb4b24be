namespace Mcp.Guard.Stages.Consent;

/// <summary>Reaches the host's consent provider; a provider is made in a scope of its own for each prompt.</summary>
internal interface IConsentSource
{
    Task<ConsentAnswer> AskAsync(ConsentRequest request, CancellationToken ct);
}
