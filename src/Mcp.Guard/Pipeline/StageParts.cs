using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.KillSwitch;

namespace Mcp.Guard.Pipeline;

/// <summary>What the built-in stages are made of.</summary>
internal sealed class StageParts
{
    public required HaltSwitch Halts { get; init; }

    public required IRateLimitStore RateLimits { get; init; }

    public required IRootNormalizer Roots { get; init; }

    public required ConsentDesk Consent { get; init; }
}
