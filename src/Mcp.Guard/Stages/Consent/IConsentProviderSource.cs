namespace Mcp.Guard.Stages.Consent;

/// <summary>Gives each prompt a provider of its own.</summary>
internal interface IConsentProviderSource
{
    /// <summary>False where nobody can be asked; calls that need a consent are then denied without a prompt.</summary>
    bool IsAvailable { get; }

    /// <summary>Opens a scope and resolves the provider in it. It may throw.</summary>
    ConsentProviderLease Open();
}
