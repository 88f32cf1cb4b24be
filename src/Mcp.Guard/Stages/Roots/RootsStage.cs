using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Roots;

/// <summary>Paths and file URIs of a request against the server's roots.</summary>
internal sealed class RootsStage(IRootNormalizer roots) : IGuardStage<RequestContext>
{
    public string Name => GuardStages.Roots;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        _ = roots;
        return new(GuardDecision.Deny(GuardDenialCodes.GuardFault, "roots are not judged yet"));
    }
}
