using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.KillSwitch;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>Refuses sampling and elicitation unless the policy allows them for the server, and everything while a stop covers the call.</summary>
internal sealed class ServerRequestGate(HaltSwitch halts) : IGuardStage<ServerRequestContext>
{
    public string Name => GuardStages.ServerRequests;

    public ValueTask<GuardDecision> EvaluateAsync(ServerRequestContext context, CancellationToken ct)
    {
        if (halts.Find(context.Server.Id, context.Call?.TargetName, context.Caller.UserId) is not null)
        {
            return new(GuardDecision.Deny(GuardDenialCodes.Halted, "a stop is set"));
        }

        bool allowed = context.Method switch
        {
            MethodTable.Sampling => context.Settings is { Sampling.Allowed: true },
            MethodTable.Elicitation => context.Settings is { Elicitation.Allowed: true },
            _ => false,
        };
        return new(!allowed ? Refuse($"the policy does not allow '{context.Method}' of this server")
            : context.Call is null ? Refuse("a request that belongs to no call")
            : context.Current.ValueKind != JsonValueKind.Object ? Refuse("a request without parameters")
            : GuardDecision.Continue);
    }

    /// <summary>The denial of every stage here: nobody is asked, and the server learns no rule.</summary>
    public static GuardDecision Refuse(string reason) => GuardDecision.Deny(GuardDenialCodes.ServerRequestRefused, reason);
}
