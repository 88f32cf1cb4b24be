using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Methods;

/// <summary>Denies every method that is not in the table, is off by policy, or goes to a server that the policy in force no longer names.</summary>
internal sealed class MethodTableStage : IGuardStage<RequestContext>
{
    public string Name => GuardStages.Methods;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (context.Settings is null)
        {
            return new(GuardDecision.Deny(GuardDenialCodes.ServerNotAllowed, "the policy in force no longer names this server"));
        }

        return new(context.Kind switch
        {
            RequestKind.Unknown => GuardDecision.Deny(GuardDenialCodes.MethodNotAllowed, "the method is not in the method table"),
            RequestKind.Completion when !context.Settings.AllowCompletion =>
                GuardDecision.Deny(GuardDenialCodes.MethodNotAllowed, "completion is off: it tells a server what is typed; the policy can allow it with \"allowCompletion\": true"),
            _ => GuardDecision.Continue,
        });
    }
}
