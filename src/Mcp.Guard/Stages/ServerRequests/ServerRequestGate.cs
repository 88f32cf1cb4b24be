using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>Refuses sampling and elicitation unless the policy allows them for the server.</summary>
internal sealed class ServerRequestGate : IGuardStage<ServerRequestContext>
{
    public string Name => "server-requests";

    public ValueTask<GuardDecision> EvaluateAsync(ServerRequestContext context, CancellationToken ct)
    {
        return new(GuardDecision.Deny(GuardDenialCodes.ServerRequestRefused, $"no stage judges '{context.Method}'"));
    }
}
