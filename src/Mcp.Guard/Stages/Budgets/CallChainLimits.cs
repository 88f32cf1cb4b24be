using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.Budgets;

/// <summary>How far sampling may lead: a tool's sampling request makes the model call tools, which may ask for sampling again.</summary>
internal sealed record CallChainLimits
{
    /// <summary>The recommended limits.</summary>
    public static readonly CallChainLimits Default = new();

    /// <summary>Sampling requests inside one another; 1 by default, 0 for none.</summary>
    public int MaxSamplingDepth { get; init; } = 1;

    /// <summary>Calls and sampling requests that one root call may cause in all; 16 by default.</summary>
    public int MaxCaused { get; init; } = 16;

    /// <summary>The limits that the policy sets for a server.</summary>
    public static CallChainLimits Of(ServerSettings? settings) =>
        settings is null || settings.Sampling.MaxDepth == Default.MaxSamplingDepth ? Default : Default with { MaxSamplingDepth = settings.Sampling.MaxDepth };
}
