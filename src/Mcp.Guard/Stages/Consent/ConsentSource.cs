using Mcp.Guard.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Stages.Consent;

/// <summary>Makes the host's provider in a scope of its own for each prompt: a provider may hold what belongs to one request of the host.</summary>
/// <param name="provider">How the provider is made; null where the host denies instead of asking.</param>
/// <param name="scopes">Makes the scopes.</param>
internal sealed class ConsentSource(GuardPart<IConsentProvider>? provider, IServiceScopeFactory scopes) : IConsentProviderSource
{
    public bool IsAvailable => provider is not null;

    public ConsentProviderLease Open()
    {
        AsyncServiceScope scope = scopes.CreateAsyncScope();
        return new ConsentProviderLease(provider!.Create(scope.ServiceProvider), scope);
    }
}
