using Mcp.Guard.Stages.Budgets;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.KillSwitch;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Pipeline;

/// <summary>What the built-in stages are made of.</summary>
internal sealed class StageParts
{
    public required HaltSwitch Halts { get; init; }

    public required IRateLimitStore RateLimits { get; init; }

    public required IRootNormalizer Roots { get; init; }

    public required ConsentService Consent { get; init; }

    public required SessionBudgets Budgets { get; init; }

    public required ITokenCounter Tokens { get; init; }

    public required IContentSanitizer Sanitizer { get; init; }

    public required ContentRedaction Redaction { get; init; }
}
