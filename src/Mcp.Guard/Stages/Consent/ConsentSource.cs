using Mcp.Guard.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Stages.Consent;

/// <summary>Makes the host's provider in a scope of its own for each prompt: a provider may hold what belongs to one request of the host.</summary>
internal sealed class ConsentSource(GuardPart<IConsentProvider> provider, IServiceScopeFactory scopes) : IConsentSource
{
    public async Task<ConsentAnswer> AskAsync(ConsentRequest request, CancellationToken ct)
    {
        AsyncServiceScope scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            return await provider.Create(scope.ServiceProvider).RequestAsync(request, ct).ConfigureAwait(false);
        }
    }
}
