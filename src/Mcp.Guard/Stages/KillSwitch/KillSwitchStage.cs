using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.KillSwitch;

/// <summary>Denies whatever a stop covers. First on every request, and again after consent.</summary>
internal sealed class KillSwitchStage(HaltSwitch halts) : IGuardStage<RequestContext>
{
    public string Name => GuardStages.KillSwitch;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        Halt? halt = halts.Find(context.Server.Id, context.TargetName, context.Caller.UserId);
        return new(halt is null ? GuardDecision.Continue : GuardDecision.Deny(GuardDenialCodes.Halted, $"stopped since {halt.Since:O}: {halt.Reason}"));
    }
}
