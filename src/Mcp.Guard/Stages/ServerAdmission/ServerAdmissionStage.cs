using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.KillSwitch;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>Admits a connection only to a server of the policy in force, reached as the policy says, and not while it is stopped.</summary>
internal sealed class ServerAdmissionStage(HaltSwitch halts) : IGuardStage<ConnectionContext>
{
    public string Name => "server-admission";

    public ValueTask<GuardDecision> EvaluateAsync(ConnectionContext context, CancellationToken ct)
    {
        PolicySnapshot policy = context.Connection.Policy;
        if (context.Connection.Settings(policy) is not { } settings || !settings.Identity.Equals(context.Server))
        {
            return new(GuardDecision.Deny(GuardDenialCodes.ServerNotAllowed, "the policy in force does not name this server, or reaches it in another way"));
        }

        if (halts.Find(context.Server.Id, null, context.Caller.UserId) is { } halt)
        {
            return new(GuardDecision.Deny(GuardDenialCodes.Halted, $"stopped since {halt.Since:O}: {halt.Reason}"));
        }

        if (!context.LaunchedByGuard && !settings.UncheckedTransport && settings.Endpoint is not HostProvidedEndpoint)
        {
            return new(GuardDecision.Deny(
                GuardDenialCodes.ServerNotAllowed,
                "the transport was built by the host and cannot be checked against the policy's endpoint; connect with IMcpGuard.ConnectAsync, or mark the server \"transport\": \"unchecked\""));
        }

        return new(GuardDecision.Continue);
    }
}
