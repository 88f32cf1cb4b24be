using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Caller;

/// <summary>
/// Where the policy requires a caller, denies what would act for nobody in particular. Handshakes, lists and word of changed lists act for the connection.
/// </summary>
internal sealed class CallerStage : IGuardStage<RequestContext>
{
    public string Name => GuardStages.Caller;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct) =>
        new(context.Caller.IsConnection && context.Settings is { } settings && context.Connection.Runtime.NeedsCaller(settings)
            && context.Kind is not (RequestKind.Lifecycle or RequestKind.Catalog)
            && !(context.Kind == RequestKind.Subscription && Subscriptions.UrisOf(context.Current).Count == 0)
            ? GuardDecision.Deny(GuardDenialCodes.CallerRequired, "the policy requires a caller and the host named none: wrap the call in IMcpGuard.BeginScope(new GuardCaller(user, session))")
            : GuardDecision.Continue);
}
