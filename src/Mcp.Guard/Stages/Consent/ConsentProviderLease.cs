namespace Mcp.Guard.Stages.Consent;

/// <summary>A provider for one prompt, and the scope that ends when its answer, however late, is there.</summary>
/// <param name="Provider">Asks the person.</param>
/// <param name="Scope">Disposed after the provider has returned; null where there is nothing to dispose.</param>
internal readonly record struct ConsentProviderLease(IConsentProvider Provider, IAsyncDisposable? Scope);
