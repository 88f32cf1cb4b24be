using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Benchmarks.Consent;

/// <summary>No provider: a call that no grant covers is denied.</summary>
internal sealed class NobodyAsked : IConsentProviderSource
{
    public bool IsAvailable => false;

    public ConsentProviderLease Open() => throw new InvalidOperationException("Nobody is asked here.");
}
