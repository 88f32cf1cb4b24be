using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>
/// Lets only listed tools be called whose definition is the remembered one. A tool that appeared after the first sight of its server asks, also where
/// a pattern of a rule would allow it: <c>read_*</c> was written before <c>read_and_upload</c> existed.
/// </summary>
internal sealed class ToolPinningStage : IGuardStage<RequestContext>
{
    public string Name => GuardStages.ToolPinning;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (context.Kind != RequestKind.ToolCall)
        {
            return new(GuardDecision.Continue);
        }

        ValueTask<ToolEntry?> found = context.Connection.Tools.ResolveAsync(context, ct);
        return found.IsCompletedSuccessfully ? new(Judge(context, found.Result)) : AwaitAsync(context, found);
    }

    private static async ValueTask<GuardDecision> AwaitAsync(RequestContext context, ValueTask<ToolEntry?> found) =>
        Judge(context, await found.ConfigureAwait(false));

    private static GuardDecision Judge(RequestContext context, ToolEntry? entry)
    {
        context.Entry = entry;
        if (entry is null)
        {
            return GuardDecision.Deny(GuardDenialCodes.ToolUnknown, "the server lists no tool of this name");
        }

        return entry.Pin switch
        {
            ToolPinState.Pinned => GuardDecision.Continue,
            ToolPinState.New when context.HasVerdict && context.Verdict.Effect == RuleEffect.Allow && !context.Verdict.IsGlobAllow => GuardDecision.Continue,
            ToolPinState.New => GuardDecision.AskConsent("tool-new", "the tool appeared after its server was first seen"),
            ToolPinState.Changed => GuardDecision.Deny(GuardDenialCodes.ToolChanged, "the definition is not the pinned one"),
            _ => GuardDecision.Deny(GuardDenialCodes.ToolChanged, "the pins of this server are lost, damaged or out of reach"),
        };
    }
}
